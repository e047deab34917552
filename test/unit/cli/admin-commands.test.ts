import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { runProgram } from '../../../src/cli/program.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { SnapshotStatus } from '../../../src/core/snapshot-status.ts';
import type { SourceStatus } from '../../../src/core/source-status.ts';
import { TextStream } from '../../support/text-stream.ts';
import { CONNECTORS } from '../config/parse-text.ts';

const SHOP: SourceStatus = {
  name: 'shop',
  type: 'postgres',
  state: 'streaming',
  since: '2026-01-02T03:04:05.000Z',
  position: '0/1A',
  lag_seconds: 0.25,
  changes_total: 12,
  changes_per_second: 1.5,
  in_flight_bytes: 0,
  snapshot: null,
  retained_wal_bytes: null,
  last_error: { code: 'X', message: 'It broke', remedy: 'Mend it.', at: '2026-01-02T03:04:05.000Z' },
  retry: null,
};
const SNAPSHOT: SnapshotStatus = {
  state: 'running',
  waiting_for: 'the stream',
  started_at: '2026-01-02T03:04:05.000Z',
  ended_at: null,
  tables: [
    { table: 'public.a', rows: 40, estimated_rows: 40, done: true },
    { table: 'public.bb', rows: 25, estimated_rows: 100, done: false },
    { table: 'public.c', rows: 5, estimated_rows: null, done: false },
  ],
};

/** A server that is no daemon of ours: it answers with what the test says and keeps what it was asked. */
const asked: { method: string; path: string; body: unknown; token: string | undefined }[] = [];
let answers: { status: number; body: unknown; raw?: string; type?: string }[] = [];
let server: Server;
let url = '';
let directory = '';
let config = '';

before(async () => {
  server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    asked.push({ method, path, body: await bodyOf(request), token: headers.authorization });
    const {
      status,
      body,
      raw,
      type = status < 400 ? 'application/json' : 'application/problem+json',
    } = answers.length > 1 ? answers.shift()! : answers[0]!;
    response.writeHead(status, { 'content-type': type }).end(raw ?? JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  directory = mkdtempSync(join(tmpdir(), 'tailrace-admin-'));
  config = join(directory, 'tailrace.yaml');
  // Secrets of other sections are not there, and not needed.
  const port = (server.address() as AddressInfo).port;
  writeFileSync(
    config,
    `kafka: { brokers: \${NOT_SET} }\nhttp: { host: 0.0.0.0, port: ${port}, tokens: [{ token_sha256: \${NOT_SET} }] }\n` +
      `sources: [{ name: shop, password: "\${NOT_SET}" }, { name: a/b }]\n`,
  );
});
after(() => {
  server.close();
  rmSync(directory, { recursive: true });
});
afterEach(() => {
  asked.length = 0;
});

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text === '' ? null : JSON.parse(text);
}

async function tailrace(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  interruption?: AbortSignal,
  sleep: Clock['sleep'] = () => assert.fail('nothing is waited for'),
) {
  const stdout = Object.assign(new TextStream(), { isTTY: false });
  const stderr = new TextStream();
  const code = await runProgram(args, '1.2.3', {
    stdout,
    stderr,
    clock: { sleep },
    env,
    connectors: CONNECTORS,
    loadApplication: () => assert.fail('an operation needs nothing of the daemon’s code'),
    interruption: () => interruption ?? new AbortController().signal,
  });
  return { code, out: stdout.text, err: stderr.text };
}

function answer(status: number, body: unknown): void {
  answers = [{ status, body }];
}

describe('the commands that talk to a daemon', () => {
  it('ask for what they say, with the token, and show what it came to', async () => {
    const cases = [
      [['pause', 'shop'], 'POST', '/api/v1/sources/shop/pause', null, SHOP, /shop is streaming/],
      [['resume', 'a/b'], 'POST', '/api/v1/sources/a%2Fb/resume', null, SHOP, /a\/b is streaming/],
      [
        ['resync', 'shop', '--confirm', 'shop'],
        'POST',
        '/api/v1/sources/shop/resync',
        { confirm: 'shop' },
        SHOP,
        /starts over/,
      ],
      [
        ['snapshot', 'start', 'shop'],
        'POST',
        '/api/v1/sources/shop/snapshots',
        { tables: null, where: null, blocking: false },
        SNAPSHOT,
        /running/,
      ],
      [
        ['snapshot', 'start', 'shop', '--table', 'orders', 'public\\.items', '--where', 'id > 5'],
        'POST',
        '/api/v1/sources/shop/snapshots',
        { tables: ['(?:.*\\.)?orders', 'public\\.items'], where: 'id > 5', blocking: false },
        SNAPSHOT,
        /running/,
      ],
      [['snapshot', 'status', 'shop'], 'GET', '/api/v1/sources/shop/snapshots', null, SNAPSHOT, /running/],
      [['snapshot', 'pause', 'shop'], 'POST', '/api/v1/sources/shop/snapshots/pause', null, SNAPSHOT, /running/],
      [['snapshot', 'resume', 'shop'], 'POST', '/api/v1/sources/shop/snapshots/resume', null, SNAPSHOT, /running/],
      [['snapshot', 'stop', 'shop'], 'DELETE', '/api/v1/sources/shop/snapshots', null, SNAPSHOT, /running/],
    ] as const;
    for (const [args, method, path, body, value, said] of cases) {
      answer(200, value);
      for (const where of [
        ['--url', url],
        ['-c', config],
      ]) {
        const shown = await tailrace([...args, ...where], { TAILRACE_TOKEN: 'the-token' });
        assert.equal(shown.code, 0, shown.err);
        assert.match(shown.out + shown.err, said);
        assert.deepEqual(asked.pop(), { method, path, body, token: 'Bearer the-token' });
      }
      const json = await tailrace([...args, '--url', url, '--json']);
      assert.deepEqual(JSON.parse(json.out), value);
      assert.equal(asked.pop()?.token, undefined);
    }
  });

  it('take the token from a file before that of the environment', async () => {
    const file = join(directory, 'token');
    writeFileSync(file, 'of-the-file\n');
    answer(200, []);
    await tailrace(['status', '--url', url, '--token-file', file], { TAILRACE_TOKEN: 'of-the-environment' });
    assert.equal(asked[0]?.token, 'Bearer of-the-file');
  });

  it('say that no daemon answers', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    for (const args of [['status'], ['status', '--watch'], ['pause', 'shop'], ['snapshot', 'status', 'shop']]) {
      const { code, out, err } = await tailrace([...args, '--url', `http://127.0.0.1:${port}`]);
      assert.deepEqual([code, out], [1, '']);
      assert.match(
        err,
        new RegExp(`no daemon answers at http://127.0.0.1:${port} \\(ECONNREFUSED\\)\n.*tailrace run.*--url`),
      );
    }
  });

  it('say what was refused and what to do', async () => {
    const problem = { detail: 'It runs.', code: 'SOURCE_NOT_PAUSED', remedy: 'There is nothing to resume.' };
    const cases: [status: number, body: unknown, code: number, err: RegExp, type?: string][] = [
      [409, problem, 1, /^error: It runs\.\nThere is nothing to resume\.\n$/],
      [404, { detail: 'None.', remedy: 'Sources: a.' }, 2, /None\.\nSources: a\./],
      [400, { detail: 'Not a pattern.', field: 'tables[0]', remedy: 'Write one.' }, 2, /tables\[0\]: Not a pattern\./],
      [401, { detail: 'This needs a token.' }, 2, /needs a token\.\n.*--token-file.*TAILRACE_TOKEN/],
      [403, { detail: 'It may only read.' }, 2, /may only read\.\n.*operate/],
      [500, { detail: 'It could not answer.' }, 1, /could not answer/],
      [200, undefined, 1, /no tailrace daemon/],
      [404, { error: 'nginx' }, 1, /no tailrace daemon/],
      [404, { detail: 'Of another server.' }, 1, /no tailrace daemon.*404/, 'application/json; charset=utf-8'],
    ];
    for (const [status, body, code, err, type] of cases) {
      answers = [
        { status, body, ...(body === undefined ? { raw: '<html>' } : {}), ...(type === undefined ? {} : { type }) },
      ];
      const result = await tailrace(['resume', 'shop', '--url', url]);
      assert.equal(result.code, code, result.err);
      assert.match(result.err, err);
      assert.equal(result.out, '');
    }
  });
});

describe('status', () => {
  const failed: SourceStatus = {
    ...SHOP,
    name: 'billing',
    state: 'failed',
    lag_seconds: 4_000,
    changes_per_second: 0,
    position: null,
    snapshot: SNAPSHOT,
  };

  it('is a line for each source, and what is wrong with which', async () => {
    answer(200, [SHOP, failed]);
    const { code, out } = await tailrace(['status', '--url', url]);
    assert.equal(code, 0);
    assert.deepEqual(out.split('\n'), [
      'SOURCE   STATE      LAG        CHANGES/S  SNAPSHOT                         POSITION',
      'shop     streaming  0.3 s      1.5        -                                0/1A',
      'billing  failed     1 h 6 min  0          running: 1 of 3 tables, 70 rows  -',
      'billing: X: It broke. Mend it.',
      '',
    ]);
  });

  it('is JSON as the daemon gives it', async () => {
    answer(200, [SHOP, failed]);
    assert.deepEqual(JSON.parse((await tailrace(['status', '--url', url, '--json'])).out), [SHOP, failed]);
  });

  it('is shown again until it is interrupted, also over a restart of the daemon', async () => {
    const interrupted = new AbortController();
    answers = [
      { status: 200, body: [SHOP] },
      { status: 503, body: { detail: 'It starts.' } },
      { status: 200, body: [failed] },
    ];
    const waits: number[] = [];
    const sleep = async (ms: number) => {
      if (waits.push(ms) < 4) return;
      interrupted.abort();
      throw interrupted.signal.reason;
    };
    const watch = ['status', '--url', url, '--watch', '--json'];
    const { code, out, err } = await tailrace(watch, {}, interrupted.signal, sleep);
    assert.equal(code, 0);
    const lines = out.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)[0].name),
      ['shop', 'billing', 'billing'],
    );
    assert.match(err, /It starts\..*; waiting/);
    assert.deepEqual(waits, [1_000, 1_000, 1_000, 1_000]);
  });

  it('of a snapshot is a bar for each table', async () => {
    answer(200, SNAPSHOT);
    const { out } = await tailrace(['snapshot', 'status', 'shop', '--url', url]);
    assert.deepEqual(out.split('\n'), [
      'running (waits for: the stream): 1 of 3 tables, 70 rows',
      'public.a   [####################]100 %  40 of about 40 rows',
      'public.bb  [#####...............] 25 %  25 of about 100 rows',
      'public.c   [....................]    ?  5 rows',
      '',
    ]);
    answer(200, null);
    const none = await tailrace(['snapshot', 'status', 'shop', '--url', url]);
    assert.deepEqual([none.code, none.out], [0, '']);
    assert.match(none.err, /no snapshot/);
  });
});
