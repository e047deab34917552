import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { SourceUnderTest } from './source-under-test.ts';

test('a session is behind while the server has log that has not arrived, and only then', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  const isBehind = async () => (await source.session.readHealth(tested.signal)).isBehind;
  await awaitUntil('an idle source is not behind', async () => !(await isBehind()));
  // More than the inbox and the sockets hold, while nobody reads.
  await database.query(`INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 40000) n`);
  await database.query(`INSERT INTO t VALUES (0, 'last')`);
  await isBehind();
  assert.equal(await isBehind(), true);
  await source.readUntilValue('last');
  await awaitUntil('it is no longer behind', async () => !(await isBehind()));
});
