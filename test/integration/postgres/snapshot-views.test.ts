import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import type { PgPosition } from '../../../connectors/postgres/positions.ts';
import { ChangeKind } from '../../../src/core/change-batch.ts';
import { TailraceError } from '../../../src/core/errors.ts';
import type { SnapshotReader, SnapshotView } from '../../../src/core/snapshot.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import { chunkOf, openReader, openView, readChunk, tableNamed, tryToOpenView } from './reader-under-test.ts';
import { type RunningSource, SourceUnderTest } from './source-under-test.ts';

const SCHEMA = `CREATE TABLE t (a int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'old' FROM generate_series(1, 5) i`;

async function openClient(database: PostgresDatabase): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

async function tableRows(view: SnapshotView<PgPosition>, reader: SnapshotReader<PgPosition>, at = 0) {
  const { rows } = await readChunk(view, chunkOf(await tableNamed(reader, 'public.t')), at);
  return rows.map(({ a, v }) => `${a} ${v}`);
}

/** Tells the reader of every transaction up to one with this value of `v`, and asks the view about each. */
async function follow(
  source: RunningSource,
  value: string,
  reader: SnapshotReader<PgPosition> | null,
  view: SnapshotView<PgPosition> | null = null,
): Promise<{ contained: Map<string, boolean>; isPassed: boolean }> {
  const contained = new Map<string, boolean>();
  let isContained = false;
  let last: string | null = null;
  for (;;) {
    const { value: batch, done } = await source.next();
    if (done === true) throw new Error('the stream ended');
    for (let index = 0; index < batch.count; index++) {
      const kind = batch.kinds[index];
      if (kind === ChangeKind.begin) {
        reader?.emitted(batch, index);
        isContained = view?.contains(batch, index) ?? false;
      }
      if (kind === ChangeKind.insert || kind === ChangeKind.update) {
        const { bytes, newStarts } = batch;
        // The second column is short, and the last of the row.
        const text = bytes.toString('latin1', newStarts[index]!, newStarts[index]! + 40);
        last = /[a-z]+/.exec(text.slice(text.indexOf('t', 8)).slice(1))?.[0] ?? null;
        if (last !== null) contained.set(last, isContained);
      }
      const detail = batch.details[index];
      if (
        kind === ChangeKind.commit &&
        last === value &&
        detail !== null &&
        detail !== undefined &&
        'resumeAt' in detail
      ) {
        batch.release();
        return { contained, isPassed: view?.isPassed(detail.resumeAt) ?? false };
      }
    }
    batch.release();
  }
}

test('a view waits for what was open when the reader was opened, and names it', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using open = await openClient(database);
  const { rows: pids } = await open
    .query('BEGIN; SELECT 1')
    .then(() => open.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'));
  await open.query(`INSERT INTO t VALUES (6, 'open')`);
  // It has a higher id than the one before, and ends first: a snapshot's xmax is then beyond the open one.
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  const named = new RegExp(`the process ${pids[0]!.pid}, open for \\d+ s`);
  // Whoever else works on the server may be older for a moment.
  await awaitUntil('it is named', async () => {
    const refusal = await tryToOpenView(reader, [table]);
    assert.equal(typeof refusal, 'string');
    return named.test(String(refusal));
  });
  await database.query(`INSERT INTO t VALUES (7, 'later')`);
  assert.equal(typeof (await tryToOpenView(reader, [table])), 'string');
  await open.query('COMMIT');
  await using view = await openView(reader, [table]);
  assert.deepEqual((await tableRows(view, reader)).slice(5), ['6 open', '7 later']);
});

test('what is open is waited for although no younger transaction ended', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using older = await openClient(database);
  await using younger = await openClient(database);
  await older.query(`BEGIN; INSERT INTO t VALUES (6, 'older')`);
  await younger.query(`BEGIN; INSERT INTO t VALUES (7, 'younger')`);
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await older.query('COMMIT');
  assert.equal(typeof (await tryToOpenView(reader, [table])), 'string');
  await younger.query('COMMIT');
  await using view = await openView(reader, [table]);
  assert.deepEqual((await tableRows(view, reader)).slice(5), ['6 older', '7 younger']);
});

test('a view contains what committed before it, is passed once the stream has sent that, and all readers see the same', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await using reader = await openReader(tested);
  const table = await tableNamed(reader, 'public.t');
  await using open = await openClient(database);
  await open.query(`BEGIN; UPDATE t SET v = 'between' WHERE a = 1`);
  await database.query(`UPDATE t SET v = 'before' WHERE a = 2`);
  await open.query('COMMIT');
  await follow(source, 'between', reader);

  await open.query(`BEGIN; UPDATE t SET v = 'running' WHERE a = 3`);
  await using view = await openView(reader, [table], 2);
  await database.query(`UPDATE t SET v = 'after' WHERE a = 4`);
  await open.query('COMMIT');
  const expected = ['1 between', '2 before', '3 old', '4 old', '5 old'];
  assert.deepEqual(await Promise.all([tableRows(view, reader, 0), tableRows(view, reader, 1)]), [expected, expected]);
  const { contained, isPassed } = await follow(source, 'running', reader, view);
  assert.deepEqual(Object.fromEntries(contained), { after: false, running: false });
  assert.equal(isPassed, true);
  await view[Symbol.asyncDispose]();

  await database.query(`UPDATE t SET v = 'seen' WHERE a = 5`);
  // Log that says nothing to the stream lies between the commit and the view.
  await database.query('SELECT pg_switch_wal()');
  await using second = await openView(reader, [table]);
  const seen = await follow(source, 'seen', reader, second);
  assert.deepEqual([seen.contained.get('seen'), seen.isPassed], [true, false]);
  // Nobody writes any more: the heartbeat behind the view lets the stream come past it.
  const heartbeat = await source.readUntil(({ kind, resumeAt }) => kind === 'heartbeat' && second.isPassed(resumeAt!));
  assert.ok(heartbeat.length > 0);
});

test('a lock that somebody holds is waited for a moment, then it is a refusal that names them', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  await using altering = await openClient(database);
  await altering.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  const { rows } = await altering.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const refusal = await tryToOpenView(reader, [table], 2);
  assert.match(String(refusal), new RegExp(`the table public\\.t is locked by the process ${rows[0]!.pid}`));
  await altering.query('ROLLBACK');
  await using view = await openView(reader, [table], 2);
  assert.equal((await tableRows(view, reader, 1)).length, 5);
});

test('while a view is open nobody truncates or alters its tables, and a later view sees what they did', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  const view = await openView(reader, [table], 2);
  for (const statement of ['TRUNCATE t', 'ALTER TABLE t ALTER COLUMN v TYPE varchar(20)', 'DROP TABLE t']) {
    await assert.rejects(database.query(`SET lock_timeout = '50ms'; ${statement}`), { code: '55P03' });
  }
  assert.equal((await tableRows(view, reader, 1)).length, 5);
  await view[Symbol.asyncDispose]();
  await database.query(`ALTER TABLE t ALTER COLUMN v TYPE varchar(20), ADD COLUMN w int DEFAULT 5`);
  await using second = await openView(reader, [table]);
  const { rows, versions } = await readChunk(second, chunkOf(table));
  assert.deepEqual(rows[0], { a: '1', v: 'old', w: '5' });
  assert.equal(versions[0]!.columns.length, 3);
  await second[Symbol.asyncDispose]();
  await database.query('TRUNCATE t');
  await using third = await openView(reader, [table]);
  assert.deepEqual(await tableRows(third, reader), []);
  await third[Symbol.asyncDispose]();

  await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (a, w)');
  await assert.rejects(tryToOpenView(reader, [table]), { code: 'POSTGRES_SNAPSHOT_TABLE_CHANGED' });
  await database.query('DROP TABLE t');
  await assert.rejects(tryToOpenView(reader, [table]), { code: 'POSTGRES_SNAPSHOT_TABLE_GONE' });
});

test('what a role may not read is an error of its configuration', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const role = `r_${database.name}`;
  await database.query(`CREATE ROLE ${role} LOGIN`);
  try {
    const url = new URL(database.url);
    url.username = role;
    const tested = new SourceUnderTest(database, { url: url.href });
    await using reader = await openReader(tested);
    const table = await tableNamed(reader, 'public.t');
    await assert.rejects(
      reader.openView({ tables: [table], readers: 1, emittedUpTo: null }, tested.signal),
      (error) => error instanceof TailraceError && error.code === 'POSTGRES_PRIVILEGE_MISSING',
    );
  } finally {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

const CONNECTIONS = `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tailrace %'`;

async function awaitConnections(database: PostgresDatabase, count: number): Promise<void> {
  await awaitUntil(
    `${count} connections were left`,
    async () => (await database.query<{ count: number }>(CONNECTIONS))[0]!.count === count,
  );
}

test('connections are kept from view to view, and none is left', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  for (const readers of [3, 2, 3]) {
    await using view = await openView(reader, [table], readers);
    assert.equal((await tableRows(view, reader, readers - 1)).length, 5);
  }
  await awaitConnections(database, 4);
  await reader[Symbol.asyncDispose]();
  await awaitConnections(database, 0);
});

test('a read that is given up leaves a reader that reads, and no statement', { timeout: 240_000 }, async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE t (a int PRIMARY KEY, v text); INSERT INTO t SELECT i, repeat('x', 2000) FROM generate_series(1, 30000) i`,
  });
  const reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  const view = await openView(reader, [table]);

  for (const filter of [null, 'pg_sleep(60) IS NOT NULL']) {
    const aborter = new AbortController();
    const reading = view.read(chunkOf(table, { filter }), 0, aborter.signal);
    if (filter === null) (await reading.next()).value as unknown;
    const next = reading.next();
    const reason = new Error('given up');
    aborter.abort(reason);
    await assert.rejects(
      (async () => {
        await next;
        for (;;) if ((await reading.next()).done === true) return;
      })(),
      reason,
    );
    assert.equal((await readChunk(view, chunkOf(table, { upTo: ['10'] }))).rows.length, 10);
  }
  // Somebody who reads no further.
  for await (const batch of view.read(chunkOf(table), 0, new AbortController().signal)) {
    batch.release();
    break;
  }
  const active = await database.query(
    `SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'tailrace reader%' AND state = 'active'`,
  );
  assert.equal(active.length, 0);
  assert.equal((await readChunk(view, chunkOf(table))).rows.length, 30_000);
  await reader[Symbol.asyncDispose]();
  await awaitConnections(database, 0);
});

test('a deadline that passes is an error that passes, and leaves no connection', { timeout: 240_000 }, async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  // Shorter than a lock is waited for.
  await using reader = await openReader(new SourceUnderTest(database, { query_timeout_ms: 300 }));
  const table = await tableNamed(reader, 'public.t');
  await using altering = await openClient(database);
  await altering.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
  await assert.rejects(tryToOpenView(reader, [table], 2), { code: 'POSTGRES_QUERY_TIMEOUT', errorClass: 'transient' });
  await awaitConnections(database, 1);
  const aborter = new AbortController();
  const opening = reader.openView({ tables: [table], readers: 2, emittedUpTo: null }, aborter.signal);
  const reason = new Error('stopped');
  const rejected = assert.rejects(opening, reason);
  aborter.abort(reason);
  await rejected;
  await awaitConnections(database, 1);
  await altering.query('ROLLBACK');
  const view = await openView(reader, [table], 2);
  // A statement that takes longer than any deadline, while the server is at work on it.
  const { rows } = await readChunk(view, chunkOf(table, { filter: 'a < 3 AND pg_sleep(0.5) IS NOT NULL' }), 1);
  assert.equal(rows.length, 2);
  await view[Symbol.asyncDispose]();
});

test('a connection that is lost is an error that passes, and the next view has another', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  await using reader = await openReader(new SourceUnderTest(database));
  const table = await tableNamed(reader, 'public.t');
  const isTransient = (error: unknown) => error instanceof TailraceError && error.errorClass === 'transient';
  const end = `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tailrace reader%'`;
  const view = await openView(reader, [table], 2);
  const reading = readChunk(view, chunkOf(table, { filter: 'pg_sleep(60) IS NOT NULL' }));
  const ended = assert.rejects(reading, isTransient);
  await database.query(end);
  await ended;
  await assert.rejects(readChunk(view, chunkOf(table), 1), isTransient);
  await view[Symbol.asyncDispose]();
  await using second = await openView(reader, [table], 2);
  assert.equal((await tableRows(second, reader, 1)).length, 5);
});
