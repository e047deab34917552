import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { awaitUntil } from '../../support/await-until.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { insertedValues, lastPosition, SourceUnderTest } from './source-under-test.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v text)';

test('every operation arrives, in order, in its transaction', async () => {
  await using database = await createPostgresDatabase({ sql: `${TABLE}; CREATE TABLE other (id int PRIMARY KEY)` });
  await using source = await new SourceUnderTest(database).startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'a'), (2, NULL)`);
  await database.query(`UPDATE t SET v = 'b' WHERE id = 1`);
  await database.query('UPDATE t SET id = 3 WHERE id = 2');
  await database.query('DELETE FROM t WHERE id = 3');
  await database.query('TRUNCATE t, other');
  await database.query(`SELECT pg_logical_emit_message(false, 'p', 'x')`);
  await database.query(`INSERT INTO t VALUES (9, 'end')`);
  const changes = await source.readUntilValue('end');
  assert.deepEqual(
    changes.filter((change) => change.kind !== 'heartbeat').map(({ kind, before, after }) => [kind, before, after]),
    [
      ['begin', null, null],
      ['insert', null, { id: '1', v: 'a' }],
      ['insert', null, { id: '2', v: 'null' }],
      ['commit', null, null],
      ['begin', null, null],
      ['update', null, { id: '1', v: 'b' }],
      ['commit', null, null],
      ['begin', null, null],
      ['update', { id: '2', v: 'absent' }, { id: '3', v: 'null' }],
      ['commit', null, null],
      ['begin', null, null],
      ['delete', { id: '3', v: 'absent' }, null],
      ['commit', null, null],
      ['begin', null, null],
      ['truncate', null, null],
      ['commit', null, null],
      ['message', null, null],
      ['begin', null, null],
      ['insert', null, { id: '9', v: 'end' }],
      ['commit', null, null],
    ],
  );
});

test('what was not acknowledged comes again after a restart, with the same positions; what was does not', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await using first = await tested.startFresh();
  // One transaction right after the other: the next begins where the acknowledged one ends.
  for (const value of ['1', '2', '3', '4']) await database.query('INSERT INTO t VALUES ($1::text::int, $1)', [value]);
  const changes = await first.readUntilValue('4');
  const commits = changes.filter((change) => change.kind === 'commit');
  const second = commits[1]?.resumeAt;
  assert.ok(second);
  first.stream.acknowledge(second);
  await first[Symbol.asyncDispose]();
  const [slot] = await database.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [tested.slot],
  );
  assert.equal(slot?.lsn, `${second.lsn.high.toString(16).toUpperCase()}/${second.lsn.low.toString(16).toUpperCase()}`);
  await using restarted = await tested.resume(second);
  const again = await restarted.readUntilValue('4');
  assert.deepEqual(insertedValues(again), ['3', '4']);
  assert.deepEqual(
    again.filter((change) => change.kind === 'commit').map(({ resumeAt, transaction }) => [resumeAt, transaction]),
    commits.slice(2).map(({ resumeAt, transaction }) => [resumeAt, transaction]),
  );
});

test('a checkpoint ahead of what the server was told leaves nothing out and repeats nothing', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await using first = await tested.startFresh();
  for (const value of ['1', '2', '3']) await database.query('INSERT INTO t VALUES ($1::text::int, $1)', [value]);
  const changes = await first.readUntilValue('3');
  const saved = changes.filter((change) => change.kind === 'commit')[1]?.resumeAt;
  assert.ok(saved);
  // Killed between saving the checkpoint and acknowledging.
  await first[Symbol.asyncDispose]();
  await using restarted = await tested.resume(saved);
  await database.query(`INSERT INTO t VALUES (4, '4')`);
  assert.deepEqual(insertedValues(await restarted.readUntilValue('4')), ['3', '4']);
});

test('a commit record that begins where the acknowledged one ends is not skipped', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  const clients = [1, 2].map(() => new pg.Client({ connectionString: database.url }));
  for (const client of clients) await client.connect();
  try {
    await using first = await tested.startFresh();
    // Both write first and commit then, until nothing lies between the two commit records.
    const adjacent = async () => {
      for (const [index, client] of clients.entries()) {
        await client.query('BEGIN');
        await client.query('INSERT INTO t SELECT coalesce(max(id), 0) + $1::int, $1::text FROM t', [index + 1]);
      }
      for (const client of clients) await client.query('COMMIT');
      const changes = await first.readUntilValue('2');
      const [end] = changes.flatMap((change) => change.resumeAt ?? []);
      const next = changes.findLast(({ kind }) => kind === 'begin')?.transaction?.split(':')[1];
      await database.query('DELETE FROM t');
      await first.readUntil(({ kind }) => kind === 'commit');
      return end !== undefined && String(end.lsn.high * 2 ** 32 + end.lsn.low) === next ? end : null;
    };
    const end = await awaitUntil('two commit records lie side by side', adjacent, { timeoutMs: 90_000 });
    first.stream.acknowledge(end);
    await first[Symbol.asyncDispose]();
    await using second = await tested.resume(end);
    assert.deepEqual(insertedValues(await second.readUntilValue('2')), ['2']);
  } finally {
    for (const client of clients) await client.end();
  }
});

test('receiving, and waiting, confirms nothing', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database, { status_interval_ms: 100 });
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'received')`);
  const changes = await source.readUntilValue('received');
  const commit = lastPosition(changes);
  const flushed = () =>
    database.query<{ write_lag: string | null; flush: string; reached: boolean; reply: string }>(
      `SELECT r.flush_lsn::text AS flush, r.write_lsn >= $2::pg_lsn AS reached, r.reply_time::text AS reply
         FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1`,
      [tested.slot, `${commit.lsn.high.toString(16)}/${commit.lsn.low.toString(16)}`],
    );
  // Several statuses after the change was received.
  const replies = new Set<string>();
  while (replies.size < 4) {
    const [row] = await flushed();
    assert.ok(row);
    if (row.reached) replies.add(row.reply);
    assert.equal(row.flush, `${source.from.lsn.high.toString(16)}/${source.from.lsn.low.toString(16)}`.toUpperCase());
  }
});

test('our heartbeat message is a place to resume from and no event', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database, {}, { heartbeatIntervalMs: 50 });
  await using source = await tested.startFresh();
  const changes = await source.readUntil(({ kind }) => kind === 'heartbeat');
  assert.ok(changes.every((change) => change.kind === 'heartbeat'));
});

test('end() ends the iteration, and what is acknowledged afterwards still reaches the server', async () => {
  await using database = await createPostgresDatabase({ sql: TABLE });
  const tested = new SourceUnderTest(database);
  await using source = await tested.startFresh();
  await database.query(`INSERT INTO t VALUES (1, 'last')`);
  const position = lastPosition(await source.readUntilValue('last'));
  const waiting = source.next();
  source.stream.end();
  assert.equal((await waiting).done, true);
  source.stream.acknowledge(position);
  await source.stream[Symbol.asyncDispose]();
  const [slot] = await database.query<{ confirmed: boolean; active: boolean }>(
    'SELECT confirmed_flush_lsn = $2::pg_lsn AS confirmed, active FROM pg_replication_slots WHERE slot_name = $1',
    [tested.slot, `${position.lsn.high.toString(16)}/${position.lsn.low.toString(16)}`],
  );
  assert.deepEqual(slot, { confirmed: true, active: false });
});

test('partitions are themselves, or their root when published so', async () => {
  const sql = `CREATE TABLE part (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10)`;
  for (const [viaRoot, expected] of [
    [false, 'part_1'],
    [true, 'part'],
  ] as const) {
    await using database = await createPostgresDatabase({ sql });
    await using source = await new SourceUnderTest(database, { publish_via_partition_root: viaRoot }).startFresh();
    await database.query(`INSERT INTO part VALUES (1, 'x')`);
    const changes = await source.readUntilValue('x');
    assert.deepEqual(
      changes.map(({ table }) => table).filter((table) => table !== null),
      [expected],
    );
  }
});
