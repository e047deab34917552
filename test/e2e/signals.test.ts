import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Kafka, logLevel } from 'kafkajs';
import type { SnapshotStatus } from '../../src/core/snapshot-status.ts';
import { AvroDecoder } from '../support/avro-decoder.ts';
import { Daemon } from '../support/daemon-process.ts';
import { createKafkaTopics, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { kafkaBrokers } from '../support/services.ts';
import { testSource } from '../support/test-source.ts';
import { readTopics } from '../support/topic-reader.ts';
import { uniqueName } from '../support/unique-name.ts';

const SIGNAL_TABLE = 'CREATE TABLE dbz_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data text);';

interface Told {
  readonly id: string;
  readonly type: string;
  readonly aggregate_type: string;
  readonly additional_data: Readonly<Record<string, string>>;
}

function signal(database: PostgresDatabase, id: string, type: string, data: unknown): Promise<unknown> {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return database.query(`INSERT INTO dbz_signal VALUES ('${id}', '${type}', '${text.replaceAll("'", "''")}')`);
}

async function notifications(topic: string): Promise<Told[]> {
  const decoder = new AvroDecoder();
  return Promise.all((await readTopics([topic])).map(async ({ value }) => (await decoder.decode(value)) as Told));
}

async function send(topic: string, key: string, value: unknown): Promise<void> {
  const producer = new Kafka({
    clientId: 'tailrace-tests',
    brokers: kafkaBrokers(),
    logLevel: logLevel.NOTHING,
  }).producer();
  await producer.connect();
  try {
    await producer.send({
      topic,
      messages: [{ key, value: typeof value === 'string' ? value : JSON.stringify(value) }],
    });
  } finally {
    await producer.disconnect();
  }
}

async function operate(daemon: Daemon, name: string, what: string, body: object = {}): Promise<void> {
  const response = await fetch(`${await daemon.url()}/api/v1/sources/${name}/${what}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  assert.ok(response.ok, `${what}: ${response.status} ${await response.text()}`);
}

async function ended(daemon: Daemon, name: string, table: string): Promise<SnapshotStatus> {
  return daemon.until(`the snapshot of ${table} has ended`, async () => {
    const { snapshot } = await daemon.status(name);
    return snapshot !== null && snapshot.ended_at !== null && snapshot.tables.some((each) => each.table === table)
      ? snapshot
      : null;
  });
}

/** The text of the source's stored state, without what is on its way there. */
function stateOf(daemon: Daemon): string {
  const directory = join(daemon.directory, 'state');
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(({ name }) =>
    name.endsWith('.json'),
  );
  return files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8')).join('\n');
}

const readsOf = async (topic: string) => (await readEnvelopes(topic)).filter(({ op }) => op === 'r');

test('rows of the signal table snapshot tables, and it is told how they get on', { timeout: 360_000 }, async () => {
  const name = uniqueName('signals');
  const sql = `${SIGNAL_TABLE} CREATE TABLE a (x text, id int, region text, PRIMARY KEY (x, id)); CREATE TABLE b (id int PRIMARY KEY);
    INSERT INTO a SELECT 'k', n, CASE WHEN n % 2 = 0 THEN 'EU' ELSE 'US' END FROM generate_series(1, 5000) n;
    INSERT INTO b SELECT generate_series(1, 3)`;
  await using database = await createPostgresDatabase({ sql });
  const source = testSource(name, database, {
    tables: { include: ['public\\.(a|b)'] },
    snapshot: { mode: 'no_data', chunk_rows: 1000 },
    signals: { table: 'public.dbz_signal' },
    notifications: { topic: `${name}.notifications` },
  });
  await using daemon = await Daemon.create({ sources: [source] });
  try {
    await daemon.start().streaming();
    await signal(database, 'bad-1', 'execute-snapshot', 'not JSON');
    await signal(database, 'bad-2', 'reboot', '{}');
    await signal(database, 'bad-3', 'execute-snapshot', { 'data-collections': ['public.b'], 'surrogate-key': 'id' });
    await signal(database, 'say', 'log', { message: 'hello at {}' });
    await signal(database, 'sig-1', 'execute-snapshot', {
      'data-collections': ['PUBLIC\\.a', 'public.c'],
      type: 'incremental',
      'additional-conditions': [{ 'data-collection': 'public.a', filter: "region = 'EU'" }],
    });
    const { tables } = await ended(daemon, name, 'public.a');
    assert.deepEqual(tables, [
      { table: 'public.a', rows: 2500, estimated_rows: tables[0]!.estimated_rows, done: true },
    ]);
    const reads = await readsOf(`${name}.public.a`);
    assert.equal(reads.length, 2500);
    assert.ok(reads.every(({ after, source: { snapshot } }) => after?.region === 'EU' && snapshot === 'incremental'));
    for (const said of [
      /"signal":"bad-1".*not a JSON object/,
      /"signal":"bad-2".*type is not known/,
      /"signal":"bad-3".*surrogate-key/,
    ]) {
      assert.match(daemon.output, said);
    }
    assert.match(daemon.output, /hello at [^{<]/);

    await signal(database, 'sig-2', 'execute-snapshot', { 'data-collections': ['public.b'], type: 'BLOCKING' });
    await ended(daemon, name, 'public.b');
    assert.deepEqual(
      (await readsOf(`${name}.public.b`)).map(({ source: { snapshot } }) => snapshot),
      ['first', 'true', 'last'],
    );
    assert.equal(await daemon.stop(), 0);

    const told = await notifications(`${name}.notifications`);
    const kinds = told.map(({ aggregate_type, type }) => `${aggregate_type} ${type}`);
    assert.equal(kinds.shift(), 'Initial Snapshot SKIPPED');
    const [incremental, initial] = [
      told.filter(({ id }) => id === 'sig-1'),
      told.filter(({ aggregate_type }) => aggregate_type === 'Initial Snapshot').slice(1),
    ];
    assert.equal(incremental.length + initial.length, kinds.length);
    const chunks = incremental.filter(({ type }) => type === 'IN_PROGRESS');
    assert.ok(chunks.length >= 2, `${chunks.length} chunks`);
    assert.ok(incremental.every(({ aggregate_type }) => aggregate_type === 'Incremental Snapshot'));
    assert.deepEqual(
      incremental.filter(({ type }) => type !== 'IN_PROGRESS').map(({ type }) => type),
      ['STARTED', 'DATA_COLLECTIONS_RESOLVED', 'TABLE_SCAN_COMPLETED', 'COMPLETED'],
    );
    assert.equal(chunks.at(-1)!.additional_data.last_processed_key, 'k,5000');
    assert.deepEqual(incremental.at(-2)!.additional_data, {
      connector_name: name,
      data_collections: 'public.a',
      scanned_collection: 'public.a',
      total_rows: '2500',
      total_rows_scanned: '2500',
      status: 'SUCCEEDED',
    });
    assert.deepEqual(
      initial.map(({ type }) => type),
      ['STARTED', 'DATA_COLLECTIONS_RESOLVED', 'IN_PROGRESS', 'TABLE_SCAN_COMPLETED', 'COMPLETED'],
    );

    // The table is captured as every other, and its signals are not acted on again.
    assert.equal((await readEnvelopes(`${name}.public.dbz_signal`)).length, 6);
    await daemon.start().streaming();
    await database.query('INSERT INTO b VALUES (100)');
    await daemon.until('it streams', async () => (await readEnvelopes(`${name}.public.b`)).length === 4);
    assert.equal((await daemon.status(name)).snapshot, null);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('a snapshot that a signal asked for outlives kill -9, a pause and its successors', {
  timeout: 360_000,
}, async () => {
  const name = uniqueName('sigkill');
  const sql = `${SIGNAL_TABLE} CREATE TABLE a (id int PRIMARY KEY, pad text); CREATE TABLE b (id int PRIMARY KEY);
    INSERT INTO a SELECT n, repeat('x', 500) FROM generate_series(1, 60000) n; INSERT INTO b SELECT generate_series(1, 3)`;
  await using database = await createPostgresDatabase({ sql });
  const source = testSource(name, database, {
    snapshot: { mode: 'no_data', chunk_rows: 100, parallelism: 1 },
    signals: { table: 'public.dbz_signal' },
    notifications: { topic: `${name}.notifications` },
  });
  await using daemon = await Daemon.create({ sources: [source] });
  const rows = async () => (await daemon.status(name)).snapshot?.tables[0]?.rows ?? 0;
  try {
    await daemon.start().streaming();
    await signal(database, 'first', 'execute-snapshot', { 'data-collections': ['public.a'] });
    await daemon.until('rows are read', async () => (await rows()) > 300);
    await daemon.until('it is stored', () => stateOf(daemon).includes('first'));
    await daemon.kill();
    await daemon.start().streaming();
    await daemon.until('it goes on', async () => (await rows()) > 0);
    await signal(database, 'hold', 'pause-snapshot', '{}');
    await daemon.until('it is paused', async () => (await daemon.status(name)).snapshot?.state === 'paused');
    await signal(database, 'second', 'execute-snapshot', { 'data-collections': ['public.*'] });
    await daemon.until('the second waits', () => stateOf(daemon).includes('second'));
    await daemon.kill();
    await daemon.start().streaming();
    await daemon.until('it is paused still', async () => (await daemon.status(name)).snapshot?.state === 'paused');
    await signal(database, 'on', 'resume-snapshot', '{}');
    await daemon.until('it goes on', async () => (await daemon.status(name)).snapshot?.state === 'running');
    await signal(database, 'enough', 'stop-snapshot', { 'data-collections': ['public.a'], type: 'INCREMENTAL' });
    const end = await ended(daemon, name, 'public.b');
    assert.equal(end.state, 'completed');
    assert.deepEqual(
      end.tables.map(({ table }) => table).sort(),
      ['public.b', 'public.dbz_signal'],
      'what was stopped is left out of what waited',
    );
    assert.equal((await readsOf(`${name}.public.b`)).length, 3);
    assert.equal(await daemon.stop(), 0);
    const told = await notifications(`${name}.notifications`);
    const of = (id: string) => told.filter((each) => each.id === id && each.type !== 'IN_PROGRESS');
    assert.deepEqual(
      of('first').map(({ type }) => type),
      ['STARTED', 'DATA_COLLECTIONS_RESOLVED', 'PAUSED', 'RESUMED', 'ABORTED'],
    );
    assert.deepEqual(
      of('second').map(({ type }) => type),
      ['STARTED', 'DATA_COLLECTIONS_RESOLVED', 'TABLE_SCAN_COMPLETED', 'TABLE_SCAN_COMPLETED', 'COMPLETED'],
    );
  } finally {
    await deleteKafkaTopics(name);
  }
});

test('the signal topic is read from where it was left, and is no reason to stop', { timeout: 360_000 }, async () => {
  const name = uniqueName('sigtopic');
  const topic = `${name}.signals`;
  const execute = (table: string) => ({ type: 'execute-snapshot', data: { 'data-collections': [table] } });
  const sql =
    'CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY)';
  await using database = await createPostgresDatabase({ sql });
  await database.query('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1), (2); INSERT INTO c VALUES (1), (2), (3)');
  const source = testSource(name, database, { signals: { topic } });
  await using daemon = await Daemon.create({ sources: [source] });
  try {
    await createKafkaTopics([{ topic }]);
    await send(topic, name, execute('public.a'));
    await daemon.start().streaming();
    await daemon.until('the end of the topic is stored', () => stateOf(daemon).includes(topic));
    await send(topic, 'another', execute('public.a'));
    await send(topic, name, 'not JSON');
    await send(topic, name, execute('public.b'));
    await ended(daemon, name, 'public.b');
    assert.match(daemon.output, /SIGNAL_MALFORMED.*its record is not JSON/);
    assert.equal(await daemon.stop(), 0);
    await send(topic, name, execute('public.c'));
    await daemon.start().streaming();
    await ended(daemon, name, 'public.c');
    assert.equal((await readsOf(`${name}.public.b`)).length, 2, 'it was not read again');
    assert.equal((await readsOf(`${name}.public.c`)).length, 3);
    assert.deepEqual(await readsOf(`${name}.public.a`), [], 'neither what was there before nor what is for another');

    // A resync forgets the position of the database, not how far the signals are.
    await operate(daemon, name, 'pause');
    await send(topic, name, execute('public.a'));
    await operate(daemon, name, 'resync', { confirm: name });
    await ended(daemon, name, 'public.a');
    assert.equal((await readsOf(`${name}.public.a`)).length, 1, 'what was sent meanwhile is done');
    assert.equal((await readsOf(`${name}.public.c`)).length, 3, 'what was done is not done again');

    // Without its topic the source streams on.
    await deleteKafkaTopics(topic);
    await daemon.until('the loss is said', () => /SIGNAL_TOPIC_UNREADABLE/.test(daemon.output), 60_000);
    await database.query('INSERT INTO a VALUES (2)');
    await daemon.until('it streams', async () => (await readEnvelopes(`${name}.public.a`)).length === 2);
    assert.equal(await daemon.stop(), 0);
  } finally {
    await deleteKafkaTopics(name);
  }
});
