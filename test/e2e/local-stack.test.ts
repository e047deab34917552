import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { CHECKOUT } from '../../deploy/local/checkout.ts';
import { runningProcesses } from '../../deploy/local/run-directory.ts';
import { startStack } from '../../deploy/local/stack.ts';
import type { StackUrls } from '../../deploy/local/stack-urls.ts';
import { awaitUntil } from '../support/await-until.ts';

const run = promisify(execFile);
const silent = () => undefined;

/** The stack that everything else stands on; always services of our own, whatever the environment names. */
suite('the local stack', () => {
  const callersTmp = process.env.TMPDIR;
  before(() => {
    // Run directories of our own, so that "nothing is left" can be seen. Readable for the user that Postgres runs as.
    process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'tr-'));
    chmodSync(tmpdir(), 0o711);
  });
  after(() => {
    rmSync(tmpdir(), { recursive: true });
    if (callersTmp === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = callersTmp;
  });
  const stackDirectories = () => {
    const root = join(tmpdir(), `tailrace-${process.getuid?.() ?? ''}`);
    return existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  };

  test('Postgres streams logically, keeps its data over stop and start, and leaves nothing behind', async () => {
    const stack = await startStack({ postgres: [17], ownServices: true, report: silent });
    try {
      const url = stack.urls.postgres[17]!;
      const settings = await query(
        url,
        "SELECT current_setting('wal_level') AS w, current_setting('server_version') AS v",
      );
      assert.equal(settings[0]!.w, 'logical');
      assert.match(String(settings[0]!.v), /^17\./);
      await query(url, 'CREATE TABLE kept (id int)');
      await query(url, "SELECT pg_create_logical_replication_slot('kept', 'pgoutput')");
      const service = stack.services.get('postgres-17')!;
      await service.stop();
      await assert.rejects(query(url, 'SELECT 1'), { code: 'ECONNREFUSED' });
      await service.start();
      assert.deepEqual(await query(url, 'SELECT slot_name FROM pg_replication_slots'), [{ slot_name: 'kept' }]);
      assert.deepEqual(await query(url, 'SELECT count(*)::int AS n FROM kept'), [{ n: 0 }]);
    } finally {
      await stack.stop();
    }
    assert.deepEqual(stackDirectories(), []);
  });

  test('Kafka creates no topic by itself; the registry gives one id for one schema and remembers it', async () => {
    const stack = await startStack({ kafka: true, registry: true, ownServices: true, report: silent });
    try {
      const kafka = new Kafka({ brokers: stack.urls.kafka!, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
      const admin = kafka.admin();
      await admin.connect();
      await assert.rejects(admin.fetchTopicMetadata({ topics: ['never-made'] }), {
        type: 'UNKNOWN_TOPIC_OR_PARTITION',
      });
      assert.ok(!(await admin.listTopics()).includes('never-made'));
      await admin.disconnect();

      const registry = stack.urls.registry!;
      const id = await register(registry, 'one-value');
      assert.equal(await register(registry, 'other-value'), id);
      const service = stack.services.get('registry')!;
      await service.stop();
      await service.start();
      const subjects = (await (await fetch(`${registry}/subjects`)).json()) as string[];
      assert.deepEqual(subjects.toSorted(), ['one-value', 'other-value']);
      assert.equal(await register(registry, 'third-value'), id);
    } finally {
      await stack.stop();
    }
    assert.deepEqual(stackDirectories(), []);
  });

  test('a killed owner leaves no service and no data for longer than to the next start', async () => {
    const script = `
      import { startStack } from ${JSON.stringify(join(CHECKOUT, 'deploy/local/stack.ts'))};
      const stack = await startStack({ postgres: [17], ownServices: true, report: () => undefined });
      console.log(JSON.stringify(stack.urls));
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface(child.stdout).once('line', resolve);
      child.once('exit', (code) => reject(new Error(`the owner ended with ${code}`)));
    });
    const url = (JSON.parse(line) as StackUrls).postgres[17]!;
    const [directory] = stackDirectories();
    assert.equal((await query(url, 'SELECT 1 AS one'))[0]!.one, 1);
    child.kill('SIGKILL');
    if (process.platform === 'linux') {
      await awaitUntil('the kernel ended Postgres', () => runningProcesses(directory!).size === 0);
    }
    assert.ok(existsSync(directory!));
    const next = await startStack({ ownServices: true, report: silent });
    await next.stop();
    assert.ok(!existsSync(directory!));
    await awaitUntil('the port is closed', () =>
      query(url, 'SELECT 1').then(
        () => false,
        () => true,
      ),
    );
  });

  test('aborting a start ends what had started', async () => {
    const signal = AbortSignal.timeout(300);
    await assert.rejects(
      startStack({ postgres: [17], kafka: true, ownServices: true, report: silent, signal }),
      /the local stack was stopped/,
    );
    assert.deepEqual(stackDirectories(), []);
  });

  test('`stack -- up` runs on in the background, a second finds it, `down` removes it', async () => {
    const stack = async (...args: string[]) => {
      const script = join(CHECKOUT, 'deploy/local/stack-command.ts');
      const { stdout } = await run(process.execPath, [script, ...args, '--json'], { timeout: 480_000 });
      return JSON.parse(stdout);
    };
    const urls = await stack('up');
    try {
      assert.deepEqual(await stack('up'), urls);
      assert.deepEqual(await stack('status'), urls);
    } finally {
      assert.deepEqual(await stack('down'), { stopped: true });
    }
    assert.deepEqual(stackDirectories(), []);
    await assert.rejects(stack('status'), { code: 1 });
  });
});

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query(sql)).rows ?? [];
  } finally {
    await client.end();
  }
}

async function register(registry: string, subject: string): Promise<number> {
  const response = await fetch(`${registry}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({
      schema: JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'f', type: 'int' }] }),
    }),
  });
  assert.equal(response.status, 200);
  return ((await response.json()) as { id: number }).id;
}
