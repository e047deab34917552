import { TailraceError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import { repeat } from '../../src/core/repeat.ts';
import type { PostgresConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import type { Lsn } from './protocol/lsn.ts';
import type { ServerFacts } from './server-facts.ts';
import { createSlot } from './slot.ts';

const FIRST_LOOK_MS = 2_000;
const CANCEL_TIMEOUT_MS = 5_000;

/** Not all of it is shown to a role without pg_read_all_stats; the own creation has no transaction id. */
const OPEN_TRANSACTIONS = `
  SELECT count(*)::int AS count,
         floor(extract(epoch FROM now() - min(xact_start)))::float8 AS oldest_seconds,
         (array_agg(pid ORDER BY xact_start))[1] AS oldest_pid
    FROM pg_catalog.pg_stat_activity
   WHERE backend_xid IS NOT NULL AND pid <> $1`;

interface OpenTransactions {
  readonly count: number;
  readonly oldest_seconds: number | null;
  readonly oldest_pid: number | null;
}

/**
 * Creates the slot. The server first waits for every transaction that runs in the whole cluster, which has no limit of ours:
 * a deadline would throw the wait away and begin another. Says what is waited for; given up, the server gives up too.
 */
export async function createSlotPatiently(
  sql: SqlConnection,
  config: PostgresConfig,
  server: ServerFacts,
  logger: Logger,
  signal: AbortSignal,
): Promise<Lsn> {
  const { slot, connection, source } = config;
  const [own] = await sql.query<{ pid: number }>('reading its own pid', 'SELECT pg_backend_pid() AS pid', [], signal);
  const pid = own?.pid ?? 0;
  await using beside = new SqlConnection(connection, `slot ${source.name}`);
  let told = false;
  const stopLooking = repeat(FIRST_LOOK_MS, async (stop) => {
    if (told) return;
    told = await tellWhatIsWaitedFor(beside, slot.name, pid, logger, stop);
  });
  try {
    return await createSlot(sql, slot, server, signal);
  } catch (error) {
    // Without this the server would go on, and hold the slot's name until it is done.
    if (signal.aborted) await cancel(beside, pid, logger);
    throw error;
  } finally {
    await stopLooking();
  }
}

async function tellWhatIsWaitedFor(
  beside: SqlConnection,
  slot: string,
  pid: number,
  logger: Logger,
  stop: AbortSignal,
): Promise<boolean> {
  try {
    const [open] = await beside.query<OpenTransactions & Record<string, unknown>>(
      'looking for open transactions',
      OPEN_TRANSACTIONS,
      [pid],
      stop,
    );
    const { count, oldest_seconds: oldestSeconds, oldest_pid: oldestPid } = open!;
    logger.warn(
      { slot, transactions: count, oldestSeconds, oldestPid },
      'Postgres creates the slot once every transaction that was running has ended; waiting',
    );
    return true;
  } catch (error) {
    if (!stop.aborted && !(error instanceof TailraceError)) throw error;
    return false;
  }
}

async function cancel(beside: SqlConnection, pid: number, logger: Logger): Promise<void> {
  try {
    const deadline = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
    await beside.query('giving up a slot', 'SELECT pg_catalog.pg_cancel_backend($1)', [pid], deadline);
  } catch (error) {
    logger.warn({ pid, reason: String(error) }, 'Postgres goes on creating a slot that nobody waits for');
  }
}
