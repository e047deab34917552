import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connector } from '../../../connectors/postgres/index.ts';
import { ConfigurationError, ResyncRequiredError } from '../../../src/core/errors.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { insertedValues, lastPosition, SourceUnderTest } from './source-under-test.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

async function published(tested: SourceUnderTest, insert: () => Promise<unknown>) {
  await using source = await tested.startFresh();
  await insert();
  const position = lastPosition(await source.readUntilValue('published'));
  source.stream.acknowledge(position);
  return position;
}

test('a second daemon waits while the first one lives, says so, and then goes on', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const first = new SourceUnderTest(database);
  const second = new SourceUnderTest(database);
  const running = await first.startFresh();
  let claimed = false;
  await using session = await second.open();
  const claim = session.claim(second.signal).then(() => {
    claimed = true;
  });
  await awaitUntil('the second one says that it waits', () =>
    second.log.some(({ message, fields }) => /waiting/.test(message) && typeof fields.activePid === 'number'),
  );
  assert.equal(claimed, false);
  await running[Symbol.asyncDispose]();
  await claim;
  const [slot] = await database.query<{ active: boolean }>(
    'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
    [second.slot],
  );
  assert.equal(slot?.active, true);
});

test('waiting for the slot ends when it is told to', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  await using _running = await new SourceUnderTest(database).startFresh();
  const second = new SourceUnderTest(database);
  await using session = await second.open();
  const stop = new AbortController();
  const claim = session.claim(stop.signal);
  await awaitUntil('it waits', () => second.log.length > 0);
  stop.abort(new Error('stopped'));
  await assert.rejects(claim, /stopped/);
});

test('a dropped slot, one moved by something else, and one made anew need a resync', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  const position = await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  await database.query(`INSERT INTO t VALUES (2, 'lost')`);
  await database.query('SELECT pg_replication_slot_advance($1, pg_current_wal_insert_lsn())', [tested.slot]);
  await assert.rejects(tested.resume(position), /POSTGRES_SLOT_AHEAD/);
  await database.query('SELECT pg_drop_replication_slot($1)', [tested.slot]);
  await assert.rejects(tested.resume(position), /POSTGRES_SLOT_MISSING/);
  await database.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [tested.slot]);
  await assert.rejects(tested.resume(position), /POSTGRES_SLOT_AHEAD/);
});

test('a slot without checkpoint is not taken for new', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  await using session = await tested.open();
  await session.claim(tested.signal);
  const verdict = await session.assessResume(null);
  assert.equal(verdict.kind === 'resync-required' && verdict.code, 'POSTGRES_SLOT_WITHOUT_CHECKPOINT');
});

test('an interrupted creation begins again with a new slot', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await using interrupted = await tested.startFresh();
  await interrupted[Symbol.asyncDispose]();
  await using session = await tested.open();
  await session.claim(tested.signal);
  const checkpoint = {
    ...tested.checkpoint(session, interrupted.from),
    phase: 'initialising',
    position: null,
  } as const;
  assert.deepEqual(await session.assessResume(checkpoint), { kind: 'fresh' });
  const from = await session.initialise(tested.signal);
  await using _stream = await session.stream(from, tested.schemas, tested.signal);
  assert.ok(from.lsn.high > interrupted.from.lsn.high || from.lsn.low > interrupted.from.lsn.low);
});

test('a slot of another plugin is refused and left alone', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await database.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [tested.slot]);
  await using session = await tested.open();
  await session.claim(tested.signal);
  await assert.rejects(session.assessResume(null), ConfigurationError);
  const slots = await database.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [tested.slot]);
  assert.equal(slots.length, 1);
});

test('a terminated walsender is a transient error, and nothing is lost', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    tested.slot,
  ]);
  await assert.rejects(source.readUntilValue('never'), { errorClass: 'transient' });
  await source[Symbol.asyncDispose]();
  await database.query(`INSERT INTO t VALUES (1, 'meanwhile')`);
  await using again = await tested.resume(source.from);
  assert.deepEqual(insertedValues(await again.readUntilValue('meanwhile')), ['meanwhile']);
});

test('teardown drops slot and publications, twice too', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  for (let time = 0; time < 2; time++) {
    await connector.teardown(tested.config, tested.dependencies, tested.signal);
    assert.deepEqual(
      await database.query('SELECT slot_name FROM pg_replication_slots WHERE slot_name = $1', [tested.slot]),
      [],
    );
    assert.deepEqual(await database.query('SELECT pubname FROM pg_publication'), []);
  }
});

test('a publication that was dropped and created again needs a resync', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  const position = await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  await database.query(`DROP PUBLICATION ${tested.publication}`);
  await assert.rejects(tested.resume(position), /POSTGRES_PUBLICATION_MISSING/);
  await database.query(`INSERT INTO t VALUES (2, 'left out')`);
  await database.query(`CREATE PUBLICATION ${tested.publication} FOR TABLE t`);
  await assert.rejects(tested.resume(position), (error: unknown) => {
    assert.ok(error instanceof ResyncRequiredError);
    assert.equal(error.code, 'POSTGRES_PUBLICATION_CHANGED');
    return true;
  });
});

test('a table that was taken out of the publication for a while needs a resync', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  const position = await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  await database.query(`ALTER PUBLICATION ${tested.publication} DROP TABLE t`);
  await database.query(`INSERT INTO t VALUES (2, 'left out')`);
  await database.query(`ALTER PUBLICATION ${tested.publication} ADD TABLE t`);
  await assert.rejects(tested.resume(position), /removed and added again/);
});
