import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import { insertedValues, SourceUnderTest } from './source-under-test.ts';

/** A check every 5 s, and a slow machine. */
const SOON = { timeoutMs: 20_000 };
const KEYED = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

// Each waits for checks most of the time.
describe('publications that follow the tables', { concurrency: 4 }, () => {
  test('a captured table that is new is added to the running stream, and the log says what is missing', async () => {
    await using database = await createPostgresDatabase({ sql: KEYED });
    const tested = new SourceUnderTest(database, {}, { tables: { include: [/^public\.t.*$/], exclude: [] } });
    await using source = await tested.startFresh();
    await database.query('CREATE TABLE other (v text); CREATE TABLE t_keyless (v text)');
    await database.query(`CREATE TABLE t_new (id int PRIMARY KEY, v text); INSERT INTO t_new VALUES (1, 'earlier')`);
    await awaitUntil('both are published', async () => (await published(database)).length === 3, SOON);
    assert.deepEqual(await published(database), ['t', 't_keyless', 't_new']);
    await awaitUntil('it is logged', () =>
      tested.log.some(
        ({ message, fields }) =>
          message.includes('earlier changes of them are not captured') &&
          JSON.stringify(fields).includes('public.t_new'),
      ),
    );
    await database.query(`INSERT INTO t_keyless VALUES ('a'); UPDATE t_keyless SET v = 'not captured'`);
    await database.query(`INSERT INTO t_new VALUES (2, 'end')`);
    assert.deepEqual(insertedValues(await source.readUntilValue('end')), ['a', 'end']);
  });

  test('what the role may not do is said once, with the remedy, and the stream goes on', async () => {
    await using database = await createPostgresDatabase();
    const [cdc, app] = [`cdc_${database.name}`, `app_${database.name}`];
    await database.query(`CREATE ROLE ${cdc} LOGIN REPLICATION; CREATE ROLE ${app}`);
    await database.query(
      `GRANT CREATE ON DATABASE ${database.name} TO ${cdc}; ${KEYED}; ALTER TABLE t OWNER TO ${cdc}`,
    );
    const url = new URL(database.url);
    url.username = cdc;
    const tested = new SourceUnderTest(database, { url: url.href });
    try {
      await using source = await tested.startFresh();
      await database.query(`ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t OWNER TO ${app}`);
      await database.query(`CREATE TABLE foreign_one (id int PRIMARY KEY); ALTER TABLE foreign_one OWNER TO ${app}`);
      const said = (name: string) =>
        tested.log.filter(({ level, fields }) => level === 'warn' && JSON.stringify(fields).includes(name));
      await awaitUntil(
        'both are named',
        () => said('public.t').length > 0 && said('public.foreign_one').length > 0,
        SOON,
      );
      assert.match(said('public.t')[0]!.message, /UPDATE and DELETE.*REPLICA IDENTITY FULL.*own/s);
      assert.match(said('public.foreign_one')[0]!.message, /own/);
      await database.query(`INSERT INTO t VALUES (1, 'a')`);
      await source.readUntilValue('a');
      await nextCheck(tested, database);
      assert.deepEqual([said('public.t').length, said('public.foreign_one').length], [1, 1]);

      await database.query(`GRANT ${app} TO ${cdc}`);
      await awaitUntil('it is updated', () => database.query(`UPDATE t SET v = 'b'`), SOON);
      await awaitUntil('both are published', async () => (await published(database)).length === 2, SOON);
      await database.query(`INSERT INTO t VALUES (2, 'end')`);
      assert.deepEqual(insertedValues(await source.readUntilValue('end')), ['end']);
    } finally {
      await database.query(`REASSIGN OWNED BY ${cdc}, ${app} TO CURRENT_USER; DROP OWNED BY ${cdc}, ${app}`);
      await database.query(`DROP ROLE ${cdc}, ${app}`);
    }
  });

  for (const autocreate of ['disabled', 'all_tables'] as const) {
    test(`with autocreate ${autocreate} a table that loses its identity is named once, and nothing is done`, async () => {
      await using database = await createPostgresDatabase({ sql: KEYED });
      const tested = new SourceUnderTest(database, { slot: { autocreate } });
      if (autocreate === 'disabled') await database.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
      await using source = await tested.startFresh();
      const before = await database.query('SELECT oid FROM pg_publication_rel');
      await database.query('ALTER TABLE t DROP CONSTRAINT t_pkey');
      const said = () =>
        tested.log.filter(({ level, fields }) => level === 'warn' && JSON.stringify(fields).includes('public.t'));
      await awaitUntil('it is named', () => said().length > 0, SOON);
      assert.match(said()[0]!.message, /UPDATE and DELETE.*REPLICA IDENTITY FULL/s);
      await nextCheck(tested, database);
      assert.equal(said().length, 1);
      await assert.rejects(database.query(`UPDATE t SET v = 'x'`), { code: '55000' });
      assert.deepEqual(await database.query('SELECT oid FROM pg_publication_rel'), before);
      await database.query(`INSERT INTO t VALUES (1, 'a')`);
      assert.deepEqual(insertedValues(await source.readUntilValue('a')), ['a']);
      // Said again when it happens again.
      await database.query('ALTER TABLE t ADD PRIMARY KEY (id)');
      await nextCheck(tested, database);
      await database.query('ALTER TABLE t REPLICA IDENTITY NOTHING');
      await awaitUntil('it is named again', () => said().length > 1, SOON);
    });
  }
});

/** Waits until the publications were looked at again. */
async function nextCheck(tested: SourceUnderTest, database: PostgresDatabase): Promise<void> {
  const application = `tailrace catalog ${tested.config.source.name}`.slice(0, 63);
  const [now] = await database.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  await awaitUntil(
    'the publications were looked at',
    async () => {
      const [row] = await database.query<{ idle: boolean }>(
        `SELECT state = 'idle' AND query_start > $2 AS idle FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()
            AND query LIKE '%FROM pg_catalog.pg_publication%'`,
        [application, now?.now],
      );
      return row?.idle === true;
    },
    SOON,
  );
}

async function published(database: PostgresDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT prrelid::regclass::text AS name FROM pg_publication_rel ORDER BY 1',
  );
  return rows.map(({ name }) => name);
}
