import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotStatus } from '../../src/core/snapshot-status.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

interface Answer {
  readonly status: number;
  readonly body: SnapshotStatus & { readonly code?: string; readonly field?: string };
}

async function send(daemon: Daemon, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${await daemon.url()}/api/v1/sources/${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

async function ended(daemon: Daemon, name: string): Promise<SnapshotStatus> {
  return daemon.until('the snapshot has ended', async () => {
    const { snapshot } = await daemon.status(name);
    return snapshot !== null && snapshot.ended_at !== null ? snapshot : null;
  });
}

test('an ad-hoc snapshot reads chosen tables while streaming, with a filter', { timeout: 360_000 }, async () => {
  const name = uniqueName('adhoc');
  const sql = `CREATE TABLE a (id int PRIMARY KEY, region text); CREATE TABLE b (id int PRIMARY KEY);
    INSERT INTO a SELECT n, CASE WHEN n % 2 = 0 THEN 'EU' ELSE 'US' END FROM generate_series(1, 5000) n;
    INSERT INTO b SELECT generate_series(1, 10)`;
  await using database = await createPostgresDatabase({ sql });
  // Nothing wakes a silent stream but the snapshot.
  const source = testSource(name, database, { heartbeat: { interval: '1h' } });
  await using daemon = await Daemon.create({ sources: [source] });
  try {
    await daemon.start().streaming();
    await database.query("INSERT INTO a VALUES (100000, 'EU')");
    await awaitTopicEnds(new Map([[`${name}.public.a`, 1]]), 90_000);
    const none = await send(daemon, 'POST', `${name}/snapshots`, { tables: ['public\\.missing'] });
    assert.deepEqual([none.status, none.body.code, none.body.field], [400, 'SNAPSHOT_NO_TABLE', 'tables']);
    const begun = await send(daemon, 'POST', `${name}/snapshots`, { tables: ['public\\.a'], where: "region = 'EU'" });
    assert.ok(begun.status < 300, JSON.stringify(begun));
    const end = await ended(daemon, name);
    assert.equal(end.state, 'completed');
    assert.deepEqual(
      end.tables.map(({ table, rows, done }) => [table, rows, done]),
      [['public.a', 2501, true]],
    );
    const records = await readEnvelopes(`${name}.public.a`);
    const read = records.filter(({ op }) => op === 'r');
    assert.equal(read.length, 2501);
    assert.ok(read.every(({ after }) => after?.region === 'EU'));
    assert.ok(read.every(({ source }) => source.snapshot === 'incremental'));
    const ask = (where: string) => send(daemon, 'POST', `${name}/snapshots`, { tables: ['public\\.b'], where });
    const wrong = await ask('no such column');
    assert.deepEqual([wrong.status, wrong.body.code, wrong.body.field], [400, 'SNAPSHOT_FILTER_INVALID', 'where']);
    assert.ok((await ask('1 / (id - id) = 1')).status < 300);
    assert.equal((await ended(daemon, name)).state, 'stopped', 'a filter that fails on a row ends the snapshot alone');
    await database.query('INSERT INTO b VALUES (11)');
    await daemon.until('the source streams on', async () => (await readEnvelopes(`${name}.public.b`)).length === 1);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('a snapshot is paused, outlives a restart so, goes on, and is stopped for good', {
  timeout: 360_000,
}, async () => {
  const name = uniqueName('pause');
  const sql = `CREATE TABLE a (id int PRIMARY KEY, pad text);
    INSERT INTO a SELECT n, repeat('x', 500) FROM generate_series(1, 60000) n`;
  await using database = await createPostgresDatabase({ sql });
  const source = { ...testSource(name, database), snapshot: { mode: 'initial', chunk_rows: 100, parallelism: 1 } };
  await using daemon = await Daemon.create({ sources: [source] });
  const rows = async () => (await daemon.status(name)).snapshot?.tables[0]?.rows ?? 0;
  try {
    daemon.start();
    await daemon.until('rows are read', async () => (await rows()) > 300);
    const paused = await send(daemon, 'POST', `${name}/snapshots/pause`);
    assert.equal(paused.body.state, 'paused');
    const again = await send(daemon, 'POST', `${name}/snapshots`, {});
    assert.deepEqual([again.status, again.body.code], [409, 'SNAPSHOT_RUNNING']);
    await database.query("INSERT INTO a VALUES (-1, 'streamed')");
    const before = await daemon.until('the stream goes on and rows do not', async () => {
      const count = await rows();
      return (await daemon.status(name)).lag_seconds === 0 && count === (await rows()) ? count : null;
    });
    assert.ok(before < 60_000);
    assert.equal(await daemon.stop(), 0);
    daemon.start();
    await daemon.until('it is paused still', async () => (await daemon.status(name)).snapshot?.state === 'paused');
    assert.equal(await rows(), before);
    const resumed = await send(daemon, 'POST', `${name}/snapshots/resume`);
    assert.notEqual(resumed.body.state, 'paused');
    await daemon.until('it goes on', async () => (await rows()) > before);
    const stopped = await send(daemon, 'DELETE', `${name}/snapshots`);
    assert.equal(stopped.body.state, 'stopped');
    await daemon.until('it streams', async () => (await daemon.status(name)).state === 'streaming');
    const idle = await send(daemon, 'POST', `${name}/snapshots/pause`);
    assert.deepEqual([idle.status, idle.body.code], [409, 'SNAPSHOT_NOT_RUNNING']);
    await daemon.until('the stop is saved', async () => (await daemon.status(name)).lag_seconds === 0);
    assert.equal(await daemon.stop(), 0);
    await daemon.start().streaming();
    assert.equal((await daemon.status(name)).snapshot, null, 'it does not begin again');
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('a table that is captured from now on is read by itself at the next start', { timeout: 360_000 }, async () => {
  const name = uniqueName('added');
  const sql = `CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 20);
    CREATE TABLE b (id int PRIMARY KEY); INSERT INTO b SELECT generate_series(1, 30);`;
  await using database = await createPostgresDatabase({ sql });
  const config = { checkpoint: { store: 'kafka', topic: `${name}_checkpoints`, interval: '200ms' } };
  const source = (include: string[]) => ({
    ...testSource(name, database),
    tables: { include },
    snapshot: { mode: 'initial' },
  });
  try {
    await using first = await Daemon.create({ config, sources: [source(['public\\.a'])] });
    first.start();
    assert.equal((await ended(first, name)).state, 'completed');
    assert.equal(await first.stop(), 0);
    await using second = await Daemon.create({ config, sources: [source(['public\\.a', 'public\\.b'])] });
    second.start();
    const end = await ended(second, name);
    assert.deepEqual(
      end.tables.map(({ table, rows }) => [table, rows]),
      [['public.b', 30]],
    );
    assert.equal(await second.stop(), 0);
    assert.equal((await readEnvelopes(`${name}.public.a`)).length, 20);
    assert.equal((await readEnvelopes(`${name}.public.b`)).length, 30);
  } finally {
    await deleteKafkaTopics(name);
  }
});
