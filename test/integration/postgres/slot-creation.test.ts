import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { SourceUnderTest } from './source-under-test.ts';

const SCHEMA = 'CREATE TABLE t (id int PRIMARY KEY, v text)';
/** Much shorter than the transaction that the server waits for. */
const SHORT_QUERIES = { query_timeout_ms: 500 };

test('a slot is created however long a transaction runs, and the log says so', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tested = new SourceUnderTest(database, SHORT_QUERIES);
  await database.query(`BEGIN; INSERT INTO t VALUES (1, 'before')`);
  const starting = tested.startFresh();
  const line = await awaitUntil('the wait was logged', () =>
    tested.log.find(({ message }) => message.startsWith('Postgres creates the slot once')),
  );
  assert.ok(Number(line.fields.transactions) >= 1);
  await database.query('COMMIT');
  await using source = await starting;
  await database.query(`INSERT INTO t VALUES (2, 'after')`);
  const changes = await source.readUntilValue('after');
  assert.deepEqual(
    changes.flatMap(({ after }) => after?.v ?? []),
    ['after'],
  );
});

test('a creation that is given up leaves no slot', async () => {
  await using database = await createPostgresDatabase({ sql: SCHEMA });
  const tested = new SourceUnderTest(database, SHORT_QUERIES);
  await database.query(`BEGIN; INSERT INTO t VALUES (1, 'before')`);
  await using session = await tested.open();
  const stopped = new AbortController();
  const starting = session.initialise(tested.schemas, stopped.signal);
  const slots = () => database.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [tested.slot]);
  await awaitUntil('the creation has begun', async () => (await slots()).length === 1);
  stopped.abort(new Error('given up'));
  await assert.rejects(starting, /given up/);
  await awaitUntil('the server has given up too', async () => (await slots()).length === 0);
  await database.query('ROLLBACK');
});
