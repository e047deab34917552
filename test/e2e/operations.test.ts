import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { SourceStatus } from '../../src/core/source-status.ts';
import { CommandProcess, runCommand as tailrace } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { verifyWorkload } from '../support/oracle.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { awaitState } from '../support/tailed-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';
import { Workload } from '../support/workload.ts';

async function slotIsActive(database: PostgresDatabase, slot: string): Promise<boolean | undefined> {
  const rows = await database.query<{ active: boolean }>(
    'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return rows[0]?.active;
}

test('a source is paused, resumed and resynced from the command line, losing and repeating nothing', {
  timeout: 480_000,
}, async () => {
  const name = uniqueName('operate');
  await using database = await createPostgresDatabase({
    prefix: 'operate',
    sql: 'CREATE TABLE t (id int PRIMARY KEY)',
  });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  const insert = (from: number, to: number) =>
    database.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, to]);
  const ids = async () => (await readEnvelopes(`${name}.public.t`)).map(({ after }) => Number(after?.id));
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
  try {
    await daemon.start().streaming();
    const url = ['--url', await daemon.url()];
    await insert(1, 100);
    await awaitConfirmed(database, name);

    const paused = await tailrace(['pause', name, ...url]);
    assert.deepEqual(paused, { code: 0, out: '', err: `${name} is paused.\n` });
    assert.equal((await daemon.get('/readyz')).status, 200, 'its operator wants it so');
    assert.equal(await slotIsActive(database, name), false, 'nothing reads the log');
    await insert(101, 200);
    const again = await tailrace(['pause', name, ...url, '--json']);
    assert.equal((JSON.parse(again.out) as SourceStatus).state, 'paused');
    assert.equal((await ids()).length, 100);
    const table = await tailrace(['status', ...url]);
    assert.match(table.out, new RegExp(`^SOURCE .*\n${name} +paused `));

    assert.equal((await tailrace(['resume', name, ...url])).code, 0);
    await awaitTopicEnds(new Map([[`${name}.public.t`, 200]]), 90_000);
    await awaitConfirmed(database, name);
    assert.deepEqual(await ids(), numbers(1, 200));
    const running = await tailrace(['resume', name, ...url]);
    assert.equal(running.code, 1);
    assert.match(running.err, /it runs already: it is streaming/);

    // What was lost meanwhile is seen, by whoever resumes, and stays a loss until a resync.
    assert.equal((await tailrace(['pause', name, ...url])).code, 0);
    await database.query('SELECT pg_drop_replication_slot($1)', [name]);
    await insert(201, 300);
    assert.equal((await tailrace(['resume', name, ...url])).code, 0);
    await awaitState(daemon, name, 'resync-required');
    assert.equal((await daemon.get('/readyz')).status, 503);
    const lost = await tailrace(['status', ...url]);
    assert.match(lost.out, new RegExp(`${name}: POSTGRES_SLOT_MISSING: .*`));
    assert.equal((await tailrace(['pause', name, ...url])).code, 1);

    const unconfirmed = await tailrace(['resync', name, ...url]);
    assert.equal(unconfirmed.code, 2);
    assert.match(unconfirmed.err, new RegExp(`tailrace resync ${name} --confirm ${name}`));
    assert.equal((await tailrace(['resync', name, '--confirm', name, ...url])).code, 0);
    await awaitState(daemon, name, 'streaming');
    await insert(301, 400);
    await awaitConfirmed(database, name);
    const all = await ids();
    assert.deepEqual(all.slice(-100), numbers(301, 400));
    // Of a running one too: the attempt ends, and its slot is made again.
    assert.equal((await tailrace(['resync', name, '--confirm', name, ...url])).code, 0);
    await awaitState(daemon, name, 'streaming');
    await insert(401, 500);
    await awaitConfirmed(database, name);
    assert.deepEqual((await ids()).slice(-100), numbers(401, 500));

    const audit = daemon.output
      .split('\n')
      .filter((line) => line.includes('"audit":true'))
      .map((line) => JSON.parse(line));
    const done = audit.filter(({ outcome }) => outcome !== 'asked').map((line) => [line.operation, line.outcome]);
    assert.deepEqual(done, [
      ['pause', 'done'],
      ['pause', 'done'],
      ['resume', 'done'],
      ['resume', 'refused'],
      ['pause', 'done'],
      ['resume', 'done'],
      ['pause', 'refused'],
      ['resync', 'done'],
      ['resync', 'done'],
    ]);
    assert.ok(audit.every(({ who, source }) => who === 'loopback' && source === name));
    assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('pauses under load: what was read is published and checkpointed, and each resume goes on behind it', {
  timeout: 480_000,
}, async () => {
  const name = uniqueName('operate');
  await using database = await createPostgresDatabase({ prefix: 'operate' });
  await using workload = await Workload.create({ url: database.url, seed: 11, publication: name, pauseMs: 10 });
  await using daemon = await Daemon.create({
    sources: [testSource(name, database, { skipped_operations: [] })],
    config: { checkpoint: { store: 'kafka', topic: `${name}-checkpoints`, interval: '200ms' } },
  });
  const ask = async (operation: string) => {
    const url = `${await daemon.url()}/api/v1/sources/${name}/${operation}`;
    const response = await fetch(url, { method: 'POST', signal: AbortSignal.timeout(30_000) });
    assert.equal(response.status, 200, await response.text());
  };
  try {
    await daemon.start().streaming();
    workload.start();
    for (let pause = 1; pause <= 5; pause += 1) {
      const before = (await daemon.status(name)).changes_total;
      await daemon.until(
        `the load is being published for the ${pause}. time`,
        workload.whileWriting(async () => (await daemon.status(name)).changes_total > before + 100),
      );
      await ask('pause');
      assert.equal(await slotIsActive(database, name), false);
      await ask('resume');
      await awaitState(daemon, name, 'streaming');
    }
    await workload.stop();
    await workload.touchAll();
    await awaitConfirmed(database, name);
    assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
    const verdict = await verifyWorkload(database, name);
    assert.deepEqual(verdict.problems, []);
    assert.equal(verdict.duplicates, 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('snapshot commands are told what cannot be done now', { timeout: 360_000 }, async () => {
  const name = uniqueName('operate');
  await using database = await createPostgresDatabase({
    prefix: 'operate',
    sql: 'CREATE TABLE t (id int PRIMARY KEY)',
  });
  await using daemon = await Daemon.create({ sources: [testSource(name, database)] });
  try {
    await daemon.start().streaming();
    const url = ['--url', await daemon.url()];
    assert.equal((await tailrace(['pause', name, ...url])).code, 0);
    for (const operation of ['start', 'pause', 'resume', 'stop']) {
      const { code, err } = await tailrace(['snapshot', operation, name, ...url]);
      assert.equal(code, 1, operation);
      assert.match(err, /no snapshot can be controlled: it is paused\.\nWait until the source streams/);
    }
    const none = await tailrace(['snapshot', 'status', name, ...url]);
    assert.deepEqual([none.code, none.out], [0, '']);
    await using watching = new CommandProcess(['status', '--watch', '--json', ...url]);
    const [first = '', second = ''] = await watching.printed(2);
    for (const line of [first, second]) assert.equal((JSON.parse(line) as SourceStatus[])[0]?.state, 'paused');
    watching.signal('SIGINT');
    assert.equal(await watching.ended(), 0);
    const unknown = await tailrace(['snapshot', 'status', 'nobody', ...url]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.err, new RegExp(`no source of this name\\.\nThe sources are: ${name}`));
    const pattern = await tailrace(['snapshot', 'start', name, '--table', '(', ...url]);
    assert.equal(pattern.code, 2);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('a port for others asks for tokens, and each may do what its role says', { timeout: 360_000 }, async () => {
  const name = uniqueName('operate');
  const sha256 = (token: string) => createHash('sha256').update(token).digest('hex');
  await using database = await createPostgresDatabase({
    prefix: 'operate',
    sql: 'CREATE TABLE t (id int PRIMARY KEY)',
  });
  const sources = [testSource(name, database)];
  await using open = await Daemon.create({ sources, config: { http: { host: '0.0.0.0', port: 0 } } });
  const refused = await tailrace(['run', '-c', open.configPath]);
  assert.equal(refused.code, 2);
  assert.match(
    refused.err,
    /http\.host: can be reached from other machines, and there are no tokens\. Add http\.tokens/,
  );

  const tokens = [
    { name: 'dashboard', role: 'read', token_sha256: sha256('the-reading-token') },
    { name: 'operator', role: 'operate', token_sha256: sha256('the-operating-token') },
  ];
  await using daemon = await Daemon.create({ sources, config: { http: { host: '0.0.0.0', port: 0, tokens } } });
  try {
    daemon.start();
    const url = (await daemon.url()).replace('0.0.0.0', '127.0.0.1');
    const get = (path: string, headers = {}) => fetch(url + path, { headers, signal: AbortSignal.timeout(15_000) });
    await daemon.until('it streams', async () => (await get('/readyz')).status === 200);
    assert.equal((await get('/metrics')).status, 200);
    assert.equal((await get('/api/v1/sources')).status, 401);
    const none = await tailrace(['status', '--url', url]);
    assert.equal(none.code, 2);
    assert.match(none.err, /--token-file.*TAILRACE_TOKEN/);
    const reading = { TAILRACE_TOKEN: 'the-reading-token' };
    assert.match((await tailrace(['status', '--url', url], reading)).out, /streaming/);
    const denied = await tailrace(['pause', name, '--url', url], reading);
    assert.equal(denied.code, 2);
    assert.match(denied.err, /dashboard may only read/);
    assert.equal((await tailrace(['pause', name, '--url', url], { TAILRACE_TOKEN: 'the-operating-token' })).code, 0);
    assert.equal(await daemon.stop(), 0);
    assert.match(daemon.output, /"audit":true,"who":"operator","operation":"pause"/);
    assert.doesNotMatch(daemon.output, /the-(reading|operating)-token/);
    for (const { token_sha256 } of tokens) assert.ok(!daemon.output.includes(token_sha256));
  } finally {
    await deleteKafkaTopics(name);
  }
});
