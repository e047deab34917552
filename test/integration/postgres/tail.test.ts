import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { tailDatabase } from '../../../src/app/tail-database.ts';
import type { LiveChange } from '../../../src/cli/change-line.ts';
import { ConfigurationError } from '../../../src/core/errors.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';

/** A tail in this process. */
class Tail implements AsyncDisposable {
  readonly changes: LiveChange[] = [];
  readonly notices: string[] = [];
  readonly stop = new AbortController();
  readonly done: Promise<void>;

  constructor(url: string, tables: readonly RegExp[] = []) {
    const options = { tables, signal: this.stop.signal, notice: (text: string) => void this.notices.push(text) };
    this.done = tailDatabase(url, options, (change) => this.changes.push(change));
    this.done.catch(() => undefined);
  }

  async ready(): Promise<this> {
    await awaitUntil('the tail is ready', () => Promise.race([this.done, this.#isReady()]), { timeoutMs: 90_000 });
    return this;
  }

  async #isReady(): Promise<boolean> {
    return this.notices.some((notice) => notice.startsWith('Waiting'));
  }

  async shown(count: number): Promise<readonly LiveChange[]> {
    await awaitUntil(`${count} changes are shown`, () => this.changes.length >= count, { timeoutMs: 90_000 });
    return this.changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort();
    await this.done.catch(() => undefined);
  }
}

async function left(database: PostgresDatabase): Promise<readonly unknown[]> {
  return database.query(
    `SELECT pubname AS name FROM pg_publication
     UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database()`,
  );
}

test("a table without replica identity: the application's UPDATE works on, its inserts are shown", async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE bare (x int, y text)' });
  await using tail = await new Tail(database.url).ready();
  assert.match(tail.notices.join(), /only INSERT and TRUNCATE.*public\.bare/);
  await database.query(`INSERT INTO bare VALUES (1, 'a')`);
  await database.query(`UPDATE bare SET y = 'b'`);
  await database.query('DELETE FROM bare');
  await database.query('TRUNCATE bare');
  const changes = await tail.shown(2);
  assert.deepEqual(
    changes.map(({ op, table, key, before, after }) => ({ op, table, key, before, after })),
    [
      { op: 'c', table: 'public.bare', key: null, before: null, after: { x: 1, y: 'a' } },
      { op: 't', table: 'public.bare', key: null, before: null, after: null },
    ],
  );
});

test('a table that loses its primary key while the tail runs can be updated again within seconds', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using tail = await new Tail(database.url).ready();
  await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
  await database.query('INSERT INTO t VALUES (1)');
  await assert.rejects(database.query('UPDATE t SET id = 2'), { code: '55000' });
  await awaitUntil('the update is accepted', () => database.query('UPDATE t SET id = 2'), {
    timeoutMs: 90_000,
  });
  await database.query('INSERT INTO t VALUES (3)');
  await awaitUntil('the insert is shown', () => tail.changes.some(({ op, after }) => op === 'c' && after?.id === 3));
});

test('a column that the log does not carry is missing, an old key is all of the old row', async () => {
  await using database = await createPostgresDatabase({
    sql: 'CREATE TABLE t (id int PRIMARY KEY, n int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL',
  });
  await using tail = await new Tail(database.url).ready();
  await database.query(`INSERT INTO t VALUES (1, 1, repeat('x', 10000))`);
  await database.query('UPDATE t SET n = 2');
  await database.query('UPDATE t SET id = 5');
  await database.query('DELETE FROM t');
  const [, updated, moved, deleted] = await tail.shown(4);
  assert.deepEqual(
    [updated!.op, updated!.key, updated!.before, updated!.after],
    ['u', { id: 1 }, null, { id: 1, n: 2 }],
  );
  assert.deepEqual([moved!.op, moved!.key, moved!.before, moved!.after], ['u', { id: 5 }, { id: 1 }, { id: 5, n: 2 }]);
  assert.deepEqual([deleted!.op, deleted!.key, deleted!.before, deleted!.after], ['d', { id: 5 }, { id: 5 }, null]);
});

test('a table that is made or altered while the tail runs, and the rows of a partitioned one under its name', async () => {
  await using database = await createPostgresDatabase({
    sql: `CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
          CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)`,
  });
  await using tail = await new Tail(database.url).ready();
  await database.query('INSERT INTO parts VALUES (1)');
  await tail.shown(1);
  await database.query('ALTER TABLE parts ADD n numeric');
  await database.query('INSERT INTO parts VALUES (2, 1.50)');
  await database.query('CREATE TABLE later (id int PRIMARY KEY)');
  await awaitUntil(
    'the new table is published',
    async () => (await database.query(`SELECT FROM pg_publication_tables WHERE tablename = 'later'`)).length > 0,
    { timeoutMs: 90_000 },
  );
  await database.query('INSERT INTO later VALUES (3)');
  const changes = await tail.shown(3);
  assert.deepEqual(
    changes.map(({ table, after }) => ({ table, after })),
    [
      { table: 'public.parts', after: { id: 1 } },
      { table: 'public.parts', after: { id: 2, n: '1.50' } },
      { table: 'public.later', after: { id: 3 } },
    ],
  );
});

test('logical messages are shown as text, unless tables are asked for', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using all = await new Tail(database.url).ready();
  await using some = await new Tail(database.url, [/^public\.t$/]).ready();
  await database.query(`SELECT pg_logical_emit_message(true, 'audit', 'grüße')`);
  await database.query('INSERT INTO t VALUES (1)');
  const [message] = await all.shown(2);
  assert.deepEqual(
    [message!.op, message!.table, message!.after],
    ['m', 'message', { prefix: 'audit', content: 'grüße' }],
  );
  assert.equal((await some.shown(1))[0]!.table, 'public.t');
});

test('a tail stopped while it starts, and one that cannot start, leave nothing behind', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await assert.rejects(new Tail(database.url, [/^public\.nope$/]).done, ConfigurationError);
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    // The slot waits for this transaction.
    await client.query('BEGIN; INSERT INTO t VALUES (1)');
    const tail = new Tail(database.url);
    await awaitUntil('the slot is being made', async () => (await left(database)).length === 3, { timeoutMs: 90_000 });
    tail.stop.abort();
    await tail.done;
    await client.query('COMMIT');
    await awaitUntil('nothing is left', async () => (await left(database)).length === 0);
  } finally {
    await client.end();
  }
});

test('when the server ends the stream, the tail says so and has dropped its publications', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using tail = await new Tail(database.url).ready();
  await database.query(
    'SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database()',
  );
  await assert.rejects(tail.done, { errorClass: 'transient' });
  assert.deepEqual(await left(database), []);
});
