import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const ROWS = 200;

test('a second daemon on the same source waits while the owner lives, and takes over when it dies', {
  timeout: 120_000,
}, async () => {
  const name = uniqueName('twice');
  const checkpoints = uniqueName('checkpoints');
  await using database = await createPostgresDatabase({ prefix: 'twice', sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  const options = {
    sources: [testSource(name, database)],
    config: { checkpoint: { store: 'kafka', topic: checkpoints, interval: '200ms' } },
  };
  const insert = (from: number, to: number) =>
    database.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, to]);
  await using owner = await Daemon.create(options);
  await using heir = await Daemon.create(options);
  try {
    await owner.start().streaming();
    heir.start();
    await awaitUntil('the second daemon says what it waits for', () =>
      heir.output.includes('another process streams from this slot'),
    );
    await insert(1, ROWS);
    await awaitConfirmed(database, name);
    assert.equal((await heir.status(name)).state, 'starting');
    assert.equal((await heir.get('/readyz')).status, 503);
    assert.equal((await owner.status(name)).state, 'streaming', 'the owner is not disturbed');
    // One transaction on its way while the owner dies.
    const writing = insert(ROWS + 1, 2 * ROWS);
    await owner.kill();
    await writing;
    await heir.streaming();
    await insert(2 * ROWS + 1, 3 * ROWS);
    await awaitConfirmed(database, name);
    assert.equal(await heir.stop(), 0);
    const ids = (await readEnvelopes(`${name}.public.t`)).map(({ after }) => Number(after?.id));
    assert.deepEqual(
      [...new Set(ids)],
      Array.from({ length: 3 * ROWS }, (_, i) => i + 1),
    );
    assert.deepEqual(
      ids.slice(0, ROWS),
      ids.slice(0, ROWS).toSorted((a, b) => a - b),
    );
    assert.ok(ids.length <= 4 * ROWS, `at most one transaction is repeated, there are ${ids.length} records`);
  } finally {
    await deleteKafkaTopics(name);
    await deleteTopicsNamed([checkpoints]);
  }
});
