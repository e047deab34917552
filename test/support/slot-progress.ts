import { awaitUntil } from './await-until.ts';
import type { PostgresDatabase } from './postgres-database.ts';

/** Resolves when the daemon has confirmed everything that is in the log of the server now: published and checkpointed. */
export async function awaitConfirmed(database: PostgresDatabase, slot: string, timeoutMs = 90_000): Promise<void> {
  // A row of its own gives the stream something to confirm beyond what matters.
  const [head] = await database.query<{ lsn: string }>(
    "SELECT pg_logical_emit_message(true, 'tailrace.heartbeat.test', '')::text AS lsn",
  );
  await awaitUntil(
    `slot ${slot} was confirmed up to ${head!.lsn}`,
    async () => {
      const [row] = await database.query<{ done: boolean }>(
        'SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
        [head!.lsn, slot],
      );
      return row?.done;
    },
    { timeoutMs, intervalMs: 50 },
  );
}
