import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import pg from 'pg';
import { TransientError } from '../../../src/core/errors.ts';
import type { StoredVersion } from '../../../src/core/schema-store.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import {
  insertedValues,
  lastPosition,
  MemorySchemaStore,
  type SeenChange,
  SourceUnderTest,
} from './source-under-test.ts';

/** A check every 5 s, and a slow machine. */
const SOON = { timeoutMs: 20_000 };
const KEYED = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

// Each waits for checks most of the time.
describe('tables that lose and gain their replica identity', { concurrency: 4 }, () => {
  test('a table that loses its primary key is updated again within seconds, and every insert arrives once', async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database);
    await using first = await tested.startFresh();
    await using writer = new Writer(database);
    const open = await writer.begin();
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
    await open.query(`INSERT INTO t VALUES (-1, 'open')`);
    await writer.writeUntil(() => database.query(`UPDATE t SET v = v WHERE id = 1`));
    await open.query(`INSERT INTO t VALUES (-2, 'still open')`);
    await open.query('COMMIT');
    await database.query(`UPDATE t SET v = 'not captured' WHERE id = 1; INSERT INTO t VALUES (0, 'end')`);
    assert.deepEqual(await members(database), ['insert_only t']);

    const changes = await first.readUntilValue('end');
    assert.deepEqual(insertedValues(changes), [...writer.values, 'open', 'still open', 'end']);
    assert.deepEqual(kinds(changes, 'update'), []);
    const warned = tested.log.filter(({ level, fields }) => level === 'warn' && names(fields).includes('public.t'));
    assert.equal(warned.length, 1);
    assert.match(warned[0]!.message, /REPLICA IDENTITY FULL/);

    await first[Symbol.asyncDispose]();
    await using second = await tested.resume(lastPosition(changes));
    await database.query(`INSERT INTO t VALUES (7, 'after restart')`);
    assert.deepEqual(insertedValues(await second.readUntilValue('after restart')), ['after restart']);
  });

  test('REPLICA IDENTITY NOTHING counts as a loss, and FULL as a gain', async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database);
    await using source = await tested.startFresh();
    await database.query('ALTER TABLE t REPLICA IDENTITY NOTHING');
    await awaitUntil('it is moved', async () => (await members(database)).join() === 'insert_only t', SOON);
    await database.query('ALTER TABLE t REPLICA IDENTITY FULL');
    await awaitUntil('it is moved back', async () => (await members(database)).join() === 'main t', SOON);
    await database.query(`INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = 'b'`);
    const changes = await source.readUntil(({ kind }) => kind === 'update');
    assert.deepEqual(insertedValues(changes), ['a']);
  });

  test('a table that gets a primary key has its updates captured from then on, and every insert arrives once', async () => {
    await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int, v text)' });
    const tested = new SourceUnderTest(database);
    await using first = await tested.startFresh();
    assert.deepEqual(await members(database), ['insert_only t']);
    await using writer = new Writer(database);
    const open = await writer.begin();
    await database.query('ALTER TABLE t ADD PRIMARY KEY (id)');
    await open.query(`INSERT INTO t VALUES (-1, 'open')`);
    await writer.writeUntil(async () => assert.deepEqual(await members(database), ['main t']));
    await open.query(`INSERT INTO t VALUES (-2, 'still open')`);
    await open.query('COMMIT');
    await database.query(`INSERT INTO t VALUES (0, 'end'); UPDATE t SET v = 'updated' WHERE id = 0; DELETE FROM t`);
    const changes = await first.readUntilValue('end');
    assert.deepEqual(insertedValues(changes), [...writer.values, 'open', 'still open', 'end']);
    assert.deepEqual(kinds(changes, 'update'), ['updated']);
    assert.equal(kinds(changes, 'delete').length, writer.values.length + 3);

    await first[Symbol.asyncDispose]();
    await using second = await tested.resume(lastPosition(changes));
    await database.query(`INSERT INTO t VALUES (7, 'after restart')`);
    assert.deepEqual(insertedValues(await second.readUntilValue('after restart')), ['after restart']);
  });

  test('a table that lost its identity while the source was away is moved at the start', async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database);
    await using first = await tested.startFresh();
    await database.query(`INSERT INTO t VALUES (1, 'a')`);
    const position = lastPosition(await first.readUntilValue('a'));
    await first[Symbol.asyncDispose]();
    await database.query(`INSERT INTO t VALUES (2, 'b'); UPDATE t SET v = 'c' WHERE id = 2`);
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
    await database.query(`INSERT INTO t VALUES (3, 'd')`);
    await using second = await tested.resume(position);
    await database.query(`UPDATE t SET v = 'not captured'; INSERT INTO t VALUES (4, 'end')`);
    const changes = await second.readUntilValue('end');
    assert.deepEqual(insertedValues(changes), ['b', 'd', 'end']);
    assert.deepEqual(kinds(changes, 'update'), ['c']);
  });

  test('a crash between the intent and the move, and one between the move and its record, need no resync', async (t) => {
    const crashes: Record<string, (record: string, moved: boolean) => boolean> = {
      'before the move': (record) => record.includes('moves'),
      'after the move': (_, moved) => moved,
    };
    for (const [when, crashesAt] of Object.entries(crashes)) {
      await t.test(when, async () => {
        await using database = await createPostgresDatabase({ sql: KEYED });
        const tested = new SourceUnderTest(database);
        const store = new CrashingStore(async (version) => {
          const moved = (await members(database)).join() === 'insert_only t';
          return crashesAt(version.resolved, moved);
        });
        (tested as { schemas: MemorySchemaStore }).schemas = store;
        await using first = await tested.startFresh();
        await database.query(`INSERT INTO t VALUES (1, 'a')`);
        const position = lastPosition(await first.readUntilValue('a'));
        await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
        await awaitUntil('it crashed', () => store.crashed, SOON);
        await first[Symbol.asyncDispose]();
        assert.deepEqual(await members(database), [when === 'after the move' ? 'insert_only t' : 'main t']);
        await database.query(`INSERT INTO t VALUES (2, 'b')`);

        store.crashesAt = async () => false;
        await using second = await tested.resume(position);
        assert.deepEqual(await members(database), ['insert_only t']);
        await database.query(`UPDATE t SET v = 'not captured'; INSERT INTO t VALUES (3, 'end')`);
        assert.deepEqual(insertedValues(await second.readUntilValue('end')), ['b', 'end']);
      });
    }
  });

  test("somebody else's move is not taken for ours", async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database);
    await using first = await tested.startFresh();
    await database.query(`INSERT INTO t VALUES (1, 'a')`);
    const position = lastPosition(await first.readUntilValue('a'));
    await first[Symbol.asyncDispose]();
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
    await database.query(`ALTER PUBLICATION ${tested.publication} DROP TABLE t`);
    await database.query(`INSERT INTO t VALUES (2, 'lost')`);
    await database.query(`ALTER PUBLICATION ${tested.publication}_insert_only ADD TABLE t`);
    await assert.rejects(tested.resume(position), { code: 'POSTGRES_PUBLICATION_CHANGED' });
  });

  test('a table that is locked is moved once the lock is gone; the stream goes on', async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database);
    await using source = await tested.startFresh();
    await using writer = new Writer(database);
    await database.query('ALTER TABLE t REPLICA IDENTITY NOTHING');
    const locker = await writer.begin();
    await locker.query('LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE');
    const complaints = () => tested.log.filter(({ fields }) => fields.code === 'POSTGRES_LOCK_TIMEOUT');
    await awaitUntil('the lock is in the way', () => complaints().length > 0, SOON);
    assert.ok(names(complaints()[0]!.fields).includes('public.t'));
    await database.query(`INSERT INTO t VALUES (1, 'a')`);
    await source.readUntilValue('a');
    await locker.query('COMMIT');
    await awaitUntil('it is moved', async () => (await members(database)).join() === 'insert_only t', SOON);
    await database.query(`INSERT INTO t VALUES (2, 'b')`);
    assert.deepEqual(insertedValues(await source.readUntilValue('b')), ['b']);
  });

  for (const as of ['as leaves', 'as the root']) {
    test(`a leaf without identity takes its root along, updates of the other leaves go on arriving once (${as})`, async () => {
      await using database = await createPostgresDatabase({
        sql: `CREATE TABLE parts (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
          CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10)`,
      });
      const tested = new SourceUnderTest(database, { publish_via_partition_root: as === 'as the root' });
      await using source = await tested.startFresh();
      // Published by way of the root alone, until that is moved.
      await database.query('CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)');
      await database.query(`INSERT INTO parts VALUES (1, 'a'), (11, 'b')`);
      await database.query('ALTER TABLE parts_1 REPLICA IDENTITY NOTHING');
      await database.query(`UPDATE parts SET v = 'c' WHERE id = 11`);
      await awaitUntil('it is updated', () => database.query(`UPDATE parts SET v = 'x' WHERE id = 1`), SOON);
      await database.query(`UPDATE parts SET v = 'd' WHERE id = 11; INSERT INTO parts VALUES (2, 'e'), (12, 'end')`);
      const changes = await source.readUntilValue('end');
      assert.deepEqual(insertedValues(changes), ['a', 'b', 'e', 'end']);
      assert.deepEqual(kinds(changes, 'update'), ['c', 'd']);
      assert.deepEqual(await members(database), ['insert_only parts', 'insert_only parts_1', 'main parts_2']);
    });
  }

  test('a child of an inherited table, which never has its primary key, can be updated', async () => {
    await using database = await createPostgresDatabase({
      sql: `${KEYED}; CREATE TABLE child () INHERITS (t)`,
    });
    const tested = new SourceUnderTest(database);
    await using source = await tested.startFresh();
    assert.deepEqual(await members(database), ['insert_only child', 'main t']);
    await database.query(`INSERT INTO child VALUES (1, 'a'); UPDATE child SET v = 'not captured'`);
    // What is done to the parent is not done to the child.
    await database.query('ALTER TABLE child ADD PRIMARY KEY (id)');
    await awaitUntil('it is moved', async () => (await members(database)).join() === 'main child,main t', SOON);
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
    await awaitUntil('it is moved', async () => (await members(database)).join() === 'insert_only t,main child', SOON);
    await database.query(`UPDATE child SET v = 'b'; INSERT INTO t VALUES (3, 'end')`);
    const changes = await source.readUntilValue('end');
    assert.deepEqual(insertedValues(changes), ['a', 'end']);
    assert.deepEqual(kinds(changes, 'update'), ['b']);
  });

  test('row filter and column list are taken along', async () => {
    await using database = await createPostgresDatabase({
      sql: `CREATE TABLE t (id int PRIMARY KEY, "the v" text, v text, secret text)`,
    });
    const [server] = await database.query<{ version: number }>(
      "SELECT current_setting('server_version_num')::int / 10000 AS version",
    );
    // There are none before 15.
    if (server!.version < 15) return;
    const tested = new SourceUnderTest(database);
    const { publication } = tested;
    await database.query(`
    CREATE PUBLICATION ${publication} FOR TABLE t (id, "the v", v) WHERE (id < 10);
    CREATE PUBLICATION ${publication}_insert_only WITH (publish = 'insert, truncate')`);
    await using source = await tested.startFresh();
    await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
    await awaitUntil('it is moved', async () => (await members(database)).join() === 'insert_only t', SOON);
    await database.query(`INSERT INTO t VALUES (10, '', 'filtered', 'x'), (1, '', 'end', 'x')`);
    const inserted = (await source.readUntilValue('end')).filter(({ kind }) => kind === 'insert');
    assert.deepEqual(
      inserted.map(({ after }) => after),
      [{ id: '1', 'the v': '', v: 'end' }],
    );
    // Moved back with a filter or a list that lacks the identity, updates would be refused again.
    await database.query('ALTER TABLE t ADD PRIMARY KEY (id)');
    await awaitUntil(
      'it is said that it stays',
      () => tested.log.some(({ message }) => message.includes('row filter')),
      SOON,
    );
    assert.deepEqual(await members(database), ['insert_only t']);
  });
});

/** Members of the two publications, as `main t` or `insert_only t`. */
async function members(database: PostgresDatabase): Promise<string[]> {
  const rows = await database.query<{ member: string }>(
    `SELECT CASE WHEN p.pubname LIKE '%\\_insert\\_only' THEN 'insert_only ' ELSE 'main ' END || r.prrelid::regclass AS member
       FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid ORDER BY 1`,
  );
  return rows.map(({ member }) => member);
}

/** Texts of the column `v` after changes of this kind. */
function kinds(changes: readonly SeenChange[], kind: SeenChange['kind']): (string | null)[] {
  return changes.filter((change) => change.kind === kind).map(({ after }) => after?.v ?? null);
}

function names(fields: Readonly<Record<string, unknown>>): readonly unknown[] {
  return Array.isArray(fields.tables) ? fields.tables : [];
}

/** An application that inserts all the time. */
class Writer implements AsyncDisposable {
  readonly values: string[] = [];
  readonly #database: PostgresDatabase;
  readonly #clients: pg.Client[] = [];

  constructor(database: PostgresDatabase) {
    this.#database = database;
  }

  /** A transaction on a connection of its own. */
  async begin(): Promise<pg.Client> {
    const client = new pg.Client(this.#database.url);
    this.#clients.push(client);
    await client.connect();
    await client.query('BEGIN');
    await client.query('SELECT pg_current_xact_id()');
    return client;
  }

  /** Inserts one row after the other until `done` passes. */
  async writeUntil(done: () => Promise<unknown>): Promise<void> {
    await awaitUntil(
      'the application goes on',
      async () => {
        const id = this.values.length + 1;
        await this.#database.query(`INSERT INTO t VALUES (${id}, 'row ${id}')`);
        this.values.push(`row ${id}`);
        await done();
        return true;
      },
      SOON,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}

/** From the moment on that `crashesAt` names, nothing is stored any more. The version that it names is stored where it is an intent. */
class CrashingStore extends MemorySchemaStore {
  crashed = false;
  crashesAt: (version: StoredVersion) => Promise<boolean>;

  constructor(crashesAt: (version: StoredVersion) => Promise<boolean>) {
    super();
    this.crashesAt = crashesAt;
  }

  override async add(relation: string, version: StoredVersion): Promise<void> {
    if (!(await this.crashesAt(version))) return super.add(relation, version);
    if (version.resolved.includes('moves')) await super.add(relation, version);
    this.crashed = true;
    throw new TransientError('gone', { code: 'TEST_CRASH', remedy: '' });
  }
}
