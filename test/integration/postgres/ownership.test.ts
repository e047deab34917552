import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError, ResyncRequiredError } from '../../../src/core/errors.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { lastPosition, SourceUnderTest } from './source-under-test.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

async function published(tested: SourceUnderTest, insert: () => Promise<unknown>) {
  await using source = await tested.startFresh();
  await insert();
  const position = lastPosition(await source.readUntilValue('published'));
  source.stream.acknowledge(position);
  return position;
}

test('a slot without checkpoint is not taken for new', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await published(tested, () => database.query(`INSERT INTO t VALUES (1, 'published')`));
  await using session = await tested.open();
  await session.claim(tested.signal);
  const verdict = await session.assessResume(null);
  assert.equal(verdict.kind === 'resync-required' && verdict.code, 'POSTGRES_SLOT_WITHOUT_CHECKPOINT');
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
