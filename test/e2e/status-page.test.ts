import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Browser, Locator, Page } from 'playwright-core';
import { awaitUntil } from '../support/await-until.ts';
import { launchBrowser, recordPage, screenshot } from '../support/browser.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

/** Screenshots of the last run are in this folder of `test/output`. */
const OUTPUT = 'status-page';
const ROWS = 20_000;

async function browserFor(t: TestContext): Promise<Browser | null> {
  const browser = await launchBrowser(t.signal);
  if (!('missing' in browser)) return browser;
  t.skip(browser.missing);
  return null;
}

async function post(daemon: Daemon, path: string): Promise<void> {
  const url = `${await daemon.url()}/api/v1/sources/${path}`;
  const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(20_000) });
  assert.ok(response.ok, `${path}: ${await response.text()}`);
}

const cardOf = (page: Page, source: string) => page.getByRole('article', { name: source, exact: true });

async function shows(locator: Locator, text: string | RegExp, timeoutMs = 20_000): Promise<void> {
  let seen = '';
  const matches = async () => {
    seen = (await locator.allInnerTexts()).join(' ').replace(/\s+/g, ' ');
    return typeof text === 'string' ? seen.includes(text) : text.test(seen);
  };
  await awaitUntil(`the page shows ${text}`, matches, { timeoutMs }).catch((cause) => {
    throw new Error(`the page does not show ${text}, but: ${seen}`, { cause });
  });
}

/** What has the focus, and whether that can be seen; null where nothing has it, as behind the last stop. */
async function focused(page: Page): Promise<{ readonly text: string; readonly isVisible: boolean } | null> {
  return page.evaluate(`(() => {
    const element = document.activeElement;
    if (element === document.body) return null;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const text = element.getAttribute('aria-label') ?? element.innerText ?? '';
    return { text: text.replace(/\\s+/g, ' ').trim(), isVisible: outlineStyle !== 'none' && outlineWidth !== '0px' };
  })()`);
}

async function fits(page: Page, width: number): Promise<void> {
  await page.setViewportSize({ width, height: 900 });
  const wide = await page.evaluate('document.documentElement.scrollWidth');
  assert.equal(wide, width, 'nothing is cut off or has to be scrolled to the side');
}

test('the status page shows what each source does, and what to do about it', { timeout: 600_000 }, async (t) => {
  const browser = await browserFor(t);
  if (browser === null) return;
  await using _closing = { [Symbol.asyncDispose]: () => browser.close() };
  const names = {
    live: uniqueName('live'),
    loading: uniqueName('loading'),
    paused: uniqueName('paused'),
    failed: uniqueName('failed'),
  };
  const sql = `CREATE TABLE orders (id int PRIMARY KEY, pad text);
    INSERT INTO orders SELECT n, repeat('x', 500) FROM generate_series(1, ${ROWS}) n;
    CREATE TABLE customers (id int PRIMARY KEY); INSERT INTO customers SELECT generate_series(1, 50); ANALYZE`;
  await using loaded = await createPostgresDatabase({ prefix: 'page', sql });
  await using database = await createPostgresDatabase({ prefix: 'page', sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  // A name that would be an element if anything of the server were taken for markup.
  const missing = new URL(database.url);
  missing.pathname = `/${encodeURIComponent('<img src=x>')}`;
  await using daemon = await Daemon.create({
    sources: [
      testSource(names.live, database),
      { ...testSource(names.loading, loaded), snapshot: { mode: 'initial', chunk_rows: 100, parallelism: 1 } },
      testSource(names.paused, database),
      testSource(names.failed, { url: missing.href }),
    ],
  });
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, colorScheme: 'light' });
  const page = await context.newPage();
  const record = recordPage(page);
  try {
    daemon.start();
    await daemon.until('rows are read', async () => {
      const { snapshot } = await daemon.status(names.loading);
      return (snapshot?.tables ?? []).some(({ table, rows }) => table === 'public.orders' && rows > 100);
    });
    await post(daemon, `${names.loading}/snapshots/pause`);
    await daemon.until('sources stream', async () => {
      const states = await Promise.all([names.live, names.paused].map((name) => daemon.status(name)));
      return states.every(({ state }) => state === 'streaming');
    });
    await post(daemon, `${names.paused}/pause`);
    await daemon.until('a source fails', async () => (await daemon.status(names.failed)).state === 'failed');

    const url = `${await daemon.url()}/`;
    const response = await page.goto(url);
    assert.match(response?.headers()['content-security-policy'] ?? '', /^default-src 'none'/);
    await cardOf(page, names.failed).waitFor();
    assert.deepEqual(await page.getByRole('heading', { level: 2 }).allInnerTexts(), Object.values(names));
    for (const role of ['banner', 'navigation', 'main', 'contentinfo'] as const) {
      await page.getByRole(role).first().waitFor();
    }

    await t.test('a failed source with its remedy', async () => {
      const error = (await daemon.status(names.failed)).last_error;
      assert.ok(error !== null);
      const card = cardOf(page, names.failed);
      for (const text of ['failed for', error.code, error.message, error.remedy, `tailrace resume ${names.failed}`]) {
        await shows(card, text);
      }
      assert.match(error.message, /<img src=x>/, 'the message has what could be markup');
      assert.equal(await page.locator('img').count(), 0);
      assert.equal(await page.title(), '(1) tailrace');
    });

    await t.test('a paused source', async () => {
      await shows(cardOf(page, names.paused), 'paused for');
      await shows(cardOf(page, names.paused), `tailrace resume ${names.paused}`);
    });

    await t.test('changes as they come', async () => {
      const card = cardOf(page, names.live);
      await shows(card, 'streaming for');
      await database.query('INSERT INTO t SELECT generate_series(1, 5000)');
      await shows(card, 'Changes 5,000');
      await shows(card, 'Lag 0 s');
      await shows(card, /Retained WAL [\d.,]+ \w?i?B/);
      const chart = card.getByRole('img', { name: /^Changes per second of .* in the last 5 minutes: .* at most$/ });
      await awaitUntil('the chart has risen', async () => {
        const line = (await chart.locator('.line').getAttribute('d')) ?? '';
        return /M.*L/.test(line) && /[\d.]+ (?!40\b)[\d.]+/.test(line);
      });
    });

    await t.test('a snapshot: paused, waiting for a lock, completed', async () => {
      const card = cardOf(page, names.loading);
      await shows(card, 'Snapshot paused, ');
      await shows(card, `tailrace snapshot resume ${names.loading}`);
      assert.deepEqual(await card.getByRole('columnheader').allInnerTexts(), ['Table', 'Progress', 'Rows']);
      const bar = card.getByRole('progressbar', { name: 'Progress of public.orders' });
      const fraction = Number(await bar.getAttribute('value'));
      assert.ok(fraction > 0 && fraction < 1, `${fraction} of the table is read`);
      const row = card.getByRole('row').filter({ hasText: 'public.orders' });
      await awaitUntil('the rows are those of the source', async () => {
        const { snapshot } = await daemon.status(names.loading);
        const rows = snapshot?.tables.find(({ table }) => table === 'public.orders')?.rows.toLocaleString('en');
        const [seen = ''] = await row.allTextContents();
        return seen.trim().endsWith(`${rows} of about ${ROWS.toLocaleString('en')}`);
      });
      await screenshot(page, OUTPUT, 'light');
      await page.emulateMedia({ colorScheme: 'dark' });
      await screenshot(page, OUTPUT, 'dark');
      await fits(page, 360);
      await screenshot(page, OUTPUT, 'narrow');
      await fits(page, 800);
      await fits(page, 1600);
      await page.emulateMedia({ colorScheme: 'light' });

      await loaded.query('BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
      await post(daemon, `${names.loading}/snapshots/resume`);
      await shows(card, 'Snapshot running, ');
      await shows(card, /Waits for: .{10,}/);
      await screenshot(page, OUTPUT, 'waiting');
      await loaded.query('COMMIT');
      await shows(card, /Snapshot completed .*, 2 of 2 tables, 20,050 rows/, 120_000);
      await shows(card, 'streaming for');
      assert.equal(await bar.isVisible(), false, 'what is over is folded');
    });

    await t.test('by the keyboard alone', async () => {
      await page.reload();
      await cardOf(page, names.failed).waitFor();
      const stops: string[] = [];
      for (let left = 40; left > 0; left -= 1) {
        await page.keyboard.press('Tab');
        const stop = await focused(page);
        if (stop === null) break;
        assert.ok(stop.isVisible, `${stop.text} shows that it has the focus`);
        stops.push(stop.text);
      }
      assert.equal(stops[0], 'Skip to the sources');
      assert.deepEqual(stops.slice(1, 4).sort(), ['1 failed', '1 paused', '2 streaming']);
      assert.ok(stops.indexOf('API description') > stops.findIndex((text) => text.startsWith('Snapshot completed')));
      await page.getByRole('link', { name: '1 failed' }).focus();
      await page.keyboard.press('Enter');
      assert.ok((await focused(page))?.text.startsWith(names.failed), 'the link leads to the source');
      await page.keyboard.press('Tab');
      const details = cardOf(page, names.failed).getByText('What to do:');
      assert.equal(await details.isVisible(), true);
      await page.keyboard.press('Enter');
      assert.equal(await details.isVisible(), false);
    });

    await t.test('a move is announced, and what was folded stays so', async () => {
      await post(daemon, `${names.paused}/resume`);
      await shows(page.locator('[aria-live=polite]'), `${names.paused} is now `);
      await shows(cardOf(page, names.paused), 'streaming for');
      assert.equal(await cardOf(page, names.failed).getByText('What to do:').isVisible(), false);
    });

    assert.deepEqual(record.complaints, []);
    const foreign = record.urls.filter((asked) => !asked.startsWith(url));
    assert.deepEqual(foreign, [], 'everything comes from the daemon');

    await t.test('a daemon that does not answer', async () => {
      const alert = page.getByRole('alert').filter({ hasText: 'cannot be reached' });
      daemon.signal('SIGSTOP');
      try {
        await alert.waitFor({ timeout: 120_000 });
        await shows(
          page.locator('#banner'),
          /did not answer within 5 s\. What is shown is of \d\d:\d\d:\d\d, .* ago\./,
        );
      } finally {
        daemon.signal('SIGCONT');
      }
      await alert.waitFor({ state: 'detached', timeout: 120_000 });
      await shows(page.locator('#connection'), 'Live, ');
      assert.equal(await daemon.stop(), 0);
      await alert.waitFor({ timeout: 120_000 });
      await shows(page.locator('#banner'), 'It is stopped, or the network in between is interrupted.');
      await shows(page.locator('#connection'), 'Not connected');
      assert.equal(await cardOf(page, names.live).isVisible(), true, 'what was known stays');
      await screenshot(page, OUTPUT, 'not-connected');
    });
  } finally {
    for (const name of Object.values(names)) await deleteKafkaTopics(name);
  }
});

test('with tokens the page holds nothing until somebody has given one', { timeout: 360_000 }, async (t) => {
  const browser = await browserFor(t);
  if (browser === null) return;
  await using _closing = { [Symbol.asyncDispose]: () => browser.close() };
  const name = uniqueName('guarded');
  const token = 'for-reading-alone';
  const token_sha256 = createHash('sha256').update(token).digest('hex');
  await using database = await createPostgresDatabase({ prefix: 'page', sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using daemon = await Daemon.create({
    config: { http: { host: '127.0.0.1', port: 0, tokens: [{ name: 'reader', role: 'read', token_sha256 }] } },
    sources: [testSource(name, database)],
  });
  const page = await browser.newPage({ viewport: { width: 1000, height: 600 } });
  const record = recordPage(page);
  try {
    daemon.start();
    const url = `${await daemon.url()}/`;
    await page.goto(url);
    const input = page.getByLabel('Token', { exact: true });
    await input.waitFor();
    assert.ok(!(await page.content()).includes(name), 'the page does not know the source');
    await screenshot(page, OUTPUT, 'token');
    await page.keyboard.type('of-nobody');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('alert').filter({ hasText: 'token' }), 'This token is not one of http.tokens.');
    await input.fill('ein Schlüssel');
    await page.keyboard.press('Enter');
    await shows(page.getByRole('alert').filter({ hasText: 'token' }), 'A token has only letters');
    await input.fill(token);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await shows(cardOf(page, name), 'streaming for');
    assert.equal(await input.isVisible(), false);
    await page.reload();
    await shows(cardOf(page, name), 'streaming for');
    const kept = 'JSON.stringify([document.cookie, { ...localStorage }, Object.values(sessionStorage)])';
    assert.equal(await page.evaluate(kept), JSON.stringify(['', {}, [token]]));
    assert.ok(record.urls.every((asked) => asked.startsWith(url) && !asked.includes(token)));

    await page.getByRole('button', { name: 'Forget the token' }).press('Enter');
    await input.waitFor();
    assert.equal(await cardOf(page, name).count(), 0);
    assert.ok(!(await page.content()).includes(name), 'nothing of the source is left');
    // The browser itself reports the three answers that asked for a token.
    const others = record.complaints.filter((text) => !/status of 401/.test(text));
    assert.deepEqual(others, []);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('a program gets text at the same place', { timeout: 240_000 }, async () => {
  const name = uniqueName('text');
  await using database = await createPostgresDatabase({ prefix: 'page' });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  daemon.start();
  const response = await daemon.get('/');
  assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(response.headers.get('vary'), 'accept');
  assert.match(await response.text(), /^GET {4}\/api\/v1\/sources /m);
  assert.equal(await daemon.stop(), 0);
});
