import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { lastPosition, SourceUnderTest } from './source-under-test.ts';

test('a replay after later DDL gives every row the version that it had', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const tested = new SourceUnderTest(database);
  await using first = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'a')`);
  await first.readUntilValue('a');
  await database.query('ALTER TABLE t ADD c int NOT NULL DEFAULT 5');
  await database.query(
    `BEGIN; INSERT INTO t VALUES (2, 'b'); ALTER TABLE t ALTER v SET DEFAULT 'x'; INSERT INTO t VALUES (3, 'c'); COMMIT`,
  );
  const rows = await first.readUntilValue('c');
  await first[Symbol.asyncDispose]();
  const fingerprints = new Map(rows.map((change) => [change.after?.v, change.fingerprint]));

  await database.query('ALTER TABLE t ALTER c DROP NOT NULL');
  await database.query('ALTER TABLE t ADD d text');
  await database.query('ALTER TABLE t RENAME c TO c2');
  await database.query(`INSERT INTO t VALUES (4, 'd')`);

  await using second = await tested.resume(first.from);
  const replayed = await second.readUntilValue('d');
  const versions = new Map(replayed.map((change) => [change.after?.v, change.fingerprint]));
  assert.equal(versions.get('b'), fingerprints.get('b'));
  assert.equal(versions.get('c'), fingerprints.get('c'));
  assert.notEqual(versions.get('d'), fingerprints.get('c'));
  assert.deepEqual(replayed.find((change) => change.after?.v === 'd')?.after, { id: '4', v: 'd', c2: '5', d: 'null' });
  const a = replayed.find((change) => change.after?.v === 'a');
  assert.deepEqual(a?.after, { id: '1', v: 'a' });
});

test('rows written before the catalog was read keep what the log says', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int, v text)' });
  await database.query('ALTER TABLE t REPLICA IDENTITY FULL');
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query('INSERT INTO t VALUES (1, NULL)');
  await database.query(`UPDATE t SET v = 'filled'`);
  await database.query('ALTER TABLE t ALTER v SET NOT NULL');
  await database.query('ALTER TABLE t ADD PRIMARY KEY (id)');
  const changes = await source.readUntil((change) => change.kind === 'update');
  assert.deepEqual(
    changes.filter(({ after }) => after !== null).map(({ before, after }) => [before?.v ?? null, after?.v]),
    [
      [null, 'null'],
      ['null', 'filled'],
    ],
  );
});

test('versions are stored before their first row is given', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const tested = new SourceUnderTest(database);
  const held = Promise.withResolvers<void>();
  const add = tested.schemas.add.bind(tested.schemas);
  tested.schemas.add = async (relation, version) => {
    if (relation !== 'publications') await held.promise;
    await add(relation, version);
  };
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'a')`);
  const begin = await source.readUntil(({ kind }) => kind === 'begin');
  assert.ok(begin.every(({ table }) => table === null));
  held.resolve();
  const changes = await source.readUntilValue('a');
  assert.ok(lastPosition(changes));
});
