import assert from 'node:assert/strict';
import { test } from 'node:test';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { readEnvelopes } from '../support/read-rows.ts';
import { awaitConfirmed } from '../support/slot-progress.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';

const MIB = 1024 * 1024;

test('a quiet database on a busy server does not keep its log', { timeout: 600_000 }, async () => {
  const name = uniqueName('idle');
  await using quiet = await createPostgresDatabase({ prefix: 'quiet', sql: 'CREATE TABLE t (id int PRIMARY KEY)' });
  await using busy = await createPostgresDatabase({ prefix: 'busy', sql: 'CREATE TABLE noise (body text)' });
  await using daemon = await Daemon.create({
    sources: [testSource(name, quiet, { heartbeat: { interval: '300ms' } })],
  });
  try {
    await daemon.start().streaming();
    const [before] = await quiet.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn');
    await busy.query(`INSERT INTO noise SELECT repeat(md5(n::text), 30) FROM generate_series(1, 40000) n`);
    const [after] = await busy.query<{ lsn: string; written: number }>(
      'SELECT pg_current_wal_lsn()::text AS lsn, pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn)::float8 AS written',
      [before!.lsn],
    );
    assert.ok(after!.written > 32 * MIB, `the server wrote ${after!.written} bytes`);
    await awaitUntil(
      'the slot is confirmed beyond what the others wrote',
      async () => {
        const [slot] = await quiet.query<{ done: boolean }>(
          'SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
          [after!.lsn, name],
        );
        return slot?.done;
      },
      { timeoutMs: 90_000 },
    );
    await awaitUntil(
      'the server may remove what the others wrote',
      async () => {
        await logStandbySnapshot(busy);
        const [slot] = await quiet.query<{ done: boolean }>(
          'SELECT restart_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
          [after!.lsn, name],
        );
        return slot?.done;
      },
      { timeoutMs: 90_000, intervalMs: 500 },
    );
    await awaitUntil(
      'the status says so',
      async () => {
        // The figure is of the whole server, on which other tests write: the point moves on only with a new snapshot.
        await logStandbySnapshot(busy);
        const { retained_wal_bytes } = await daemon.status(name);
        return retained_wal_bytes !== null && retained_wal_bytes < after!.written;
      },
      { timeoutMs: 90_000, intervalMs: 500 },
    );

    // The heartbeats are no changes, and none of them takes a change away.
    await quiet.query('INSERT INTO t VALUES (1)');
    await awaitConfirmed(quiet, name);
    await daemon.kill();
    await quiet.query('INSERT INTO t VALUES (2)');
    await daemon.start().streaming();
    await awaitConfirmed(quiet, name);
    assert.equal(await daemon.stop(), 0);
    const ids = (await readEnvelopes(`${name}.public.t`)).map(({ after: row }) => Number(row?.id));
    assert.deepEqual([...new Set(ids)], [1, 2]);
  } finally {
    await deleteKafkaTopics(name);
  }
});

/** What the server writes every 15 s: a point at which decoding can begin. Before Postgres 16 a checkpoint does it. */
async function logStandbySnapshot(database: PostgresDatabase): Promise<void> {
  await database.query('SELECT pg_log_standby_snapshot()').catch(() => database.query('CHECKPOINT'));
}
