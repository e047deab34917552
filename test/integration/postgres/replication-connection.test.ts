import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplicationConnection } from '../../../connectors/postgres/replication-connection.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../../support/postgres-database.ts';
import { SourceUnderTest } from './source-under-test.ts';

const SQL = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE PUBLICATION "Odd ""name\'" FOR TABLE t';
const PUBLICATION = `Odd "name'`;

async function connect(database: PostgresDatabase, publications = [PUBLICATION]): Promise<ReplicationConnection> {
  const { config, dependencies, slot, signal, log } = new SourceUnderTest(database);
  await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  const connection = await ReplicationConnection.start(
    {
      connection: config.connection,
      slot,
      publications,
      server: null,
      statusIntervalMs: 1000,
      silenceLimitMs: 60_000,
      clock: dependencies.clock,
      logger: dependencies.logger,
    },
    signal,
  );
  assert.deepEqual(log, []);
  return connection;
}

async function failureOf(connection: ReplicationConnection): Promise<unknown> {
  while (connection.inbox.failure === null) {
    await connection.inbox.waitForMore();
    if (!connection.inbox.isEmpty) connection.inbox.take();
  }
  return connection.inbox.failure.error;
}

test('publication names may be anything', async () => {
  await using database = await createPostgresDatabase({ sql: SQL });
  await using connection = await connect(database);
  await database.query(`INSERT INTO t VALUES (1, 'x')`);
  await connection.inbox.waitForMore();
  assert.equal(connection.inbox.failure, null);
});

test('what is thrown while a message is taken in is an error of the stream, not of the process', async () => {
  await using database = await createPostgresDatabase({ sql: SQL });
  await using connection = await connect(database);
  const thrown = new RangeError('no room');
  connection.inbox.addMessage = () => {
    throw thrown;
  };
  await database.query(`INSERT INTO t VALUES (1, 'x')`);
  const failure = await failureOf(connection);
  assert.equal((failure as Error).cause, thrown);
});

test('a publication that is dropped under the stream needs a resync', async () => {
  await using database = await createPostgresDatabase({ sql: SQL });
  await using connection = await connect(database);
  await database.query(`DROP PUBLICATION "Odd ""name'"`);
  await database.query(`INSERT INTO t VALUES (1, 'x')`);
  const failure = (await failureOf(connection)) as { errorClass: string; code: string };
  assert.deepEqual([failure.errorClass, failure.code], ['resync-required', 'POSTGRES_PUBLICATION_MISSING']);
});

test('starting fails with the class of the reason', async () => {
  await using database = await createPostgresDatabase({ sql: SQL });
  const { config, dependencies, slot, signal } = new SourceUnderTest(database);
  const options = {
    connection: config.connection,
    slot,
    publications: [PUBLICATION],
    server: null,
    statusIntervalMs: 1000,
    silenceLimitMs: 60_000,
    clock: dependencies.clock,
    logger: dependencies.logger,
  };
  await assert.rejects(ReplicationConnection.start(options, signal), { code: 'POSTGRES_SLOT_MISSING' });
  await using _owner = await connect(database);
  await assert.rejects(ReplicationConnection.start(options, signal), {
    code: 'POSTGRES_SLOT_IN_USE',
    errorClass: 'transient',
  });
  const nowhere = { ...options, connection: { ...config.connection, port: 1 } };
  await assert.rejects(ReplicationConnection.start(nowhere, signal), { errorClass: 'transient' });
  await assert.rejects(ReplicationConnection.start(options, AbortSignal.abort(new Error('stopped'))), /stopped/);
  const strict = { ...config.connection, tls: { ...config.connection.tls, mode: 'require' as const } };
  await assert.rejects(ReplicationConnection.start({ ...options, connection: strict }, signal), {
    code: 'POSTGRES_NO_TLS',
    errorClass: 'configuration',
  });
});

test('a wall clock that is set forward is no silence of the server', async () => {
  await using database = await createPostgresDatabase({ sql: SQL });
  const { config, dependencies, slot, signal } = new SourceUnderTest(database);
  await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
  let aheadMs = 0;
  let statuses = 0;
  const clock = {
    ...dependencies.clock,
    // An hour more at every look.
    nowMs: () => {
      aheadMs += 3_600_000;
      return Date.now() + aheadMs;
    },
    nowUs: () => {
      statuses += 1;
      return Date.now() * 1000;
    },
  };
  await using connection = await ReplicationConnection.start(
    {
      connection: config.connection,
      slot,
      publications: [PUBLICATION],
      server: null,
      statusIntervalMs: 100,
      silenceLimitMs: 60_000,
      clock,
      logger: dependencies.logger,
    },
    signal,
  );
  const before = statuses;
  await awaitUntil(
    'it failed or told its status three times more',
    () => connection.inbox.failure !== null || statuses >= before + 3,
  );
  assert.equal(connection.inbox.failure, null);
});
