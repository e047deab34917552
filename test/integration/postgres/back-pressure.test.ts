import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangeKind } from '../../../src/core/change-batch.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { insertedValues, SourceUnderTest } from './source-under-test.ts';

test('while nobody asks for changes little is buffered, and the server keeps hearing from us', async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  // The walsender of this role gives up after 2 s of silence.
  await database.query(`ALTER DATABASE ${database.name} SET wal_sender_timeout = '2s'`);
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t SELECT n, repeat('x', 2000) FROM generate_series(1, 20000) n`);
  await database.query(`INSERT INTO t VALUES (0, 'end')`);
  const pid = () =>
    database.query<{ active_pid: number | null; reply: string }>(
      `SELECT s.active_pid, r.reply_time::text AS reply FROM pg_replication_slots s
         LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.slot_name = $1`,
      [tested.slot],
    );
  const [before] = await pid();
  const replies = new Set<string>();
  await awaitUntil(
    'several statuses arrived while reading is paused',
    async () => {
      const [now] = await pid();
      if (now?.reply) replies.add(now.reply);
      return replies.size >= 6;
    },
    { timeoutMs: 20_000 },
  );
  assert.equal((await pid())[0]?.active_pid, before?.active_pid, 'the same walsender still serves us');
  const [sender] = await database.query<{ wait_event: string }>(
    'SELECT wait_event FROM pg_stat_activity WHERE pid = $1',
    [before?.active_pid],
  );
  assert.equal(sender?.wait_event, 'WalSenderWriteData', 'the server cannot send more');
  const values = insertedValues(await source.readUntilValue('end'));
  assert.equal(values.length, 20_001);
});

test('a transaction of a million rows runs in bounded memory, every row once', { timeout: 120_000 }, async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text)' });
  await using source = await new SourceUnderTest(database).startFresh();
  await database.query(`INSERT INTO t SELECT n, 'row ' || n FROM generate_series(1, 1000000) n`);
  let rows = 0;
  let begins = 0;
  let largest = 0;
  let committed = false;
  let peakBytes = 0;
  while (!committed) {
    const { value: batch, done } = await source.next();
    assert.ok(!done && batch);
    largest = Math.max(largest, batch.bytes.length);
    for (let index = 0; index < batch.count; index++) {
      if (batch.kinds[index] === ChangeKind.insert) rows += 1;
      if (batch.kinds[index] === ChangeKind.begin) begins += 1;
      if (batch.kinds[index] === ChangeKind.commit) committed = true;
    }
    batch.release();
    peakBytes = Math.max(peakBytes, process.memoryUsage().arrayBuffers);
  }
  assert.deepEqual([rows, begins], [1_000_000, 1]);
  assert.ok(largest <= 256 * 1024, 'batches stay small');
  assert.ok(peakBytes < 64 * 1024 * 1024, `${peakBytes} bytes of buffers`);
});

test('one value of 32 MiB passes through', { timeout: 60_000 }, async () => {
  await using database = await createPostgresDatabase({ sql: 'CREATE TABLE t (id int PRIMARY KEY, v text, big text)' });
  await using source = await new SourceUnderTest(database).startFresh();
  await database.query(
    `INSERT INTO t VALUES (1, 'big', repeat('0123456789abcdef', 2 * 1024 * 1024)), (2, 'small', 'x')`,
  );
  const changes = await source.readUntilValue('small');
  assert.equal(changes.find((change) => change.after?.v === 'big')?.after?.big?.length, 32 * 1024 * 1024);
});
