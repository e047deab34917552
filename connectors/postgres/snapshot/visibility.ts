import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { SqlQueries } from '../connection.ts';
import type { PgPosition } from '../positions.ts';
import type { Lsn } from '../protocol/lsn.ts';
import type { MvccSnapshot } from './mvcc-snapshot.ts';
import type { ViewContents } from './view-mark.ts';

/** What the first statement of a view's transaction tells of it. */
export interface ViewFacts {
  readonly snapshot: MvccSnapshot;
  /** Everything that is visible lies before. */
  readonly high: Lsn;
}

/** Decides by what a server can tell whether views show what they must. One per snapshot reader. */
export interface Visibility {
  /** The stream emitted the transaction whose begin is change `index`. */
  emitted(batch: ChangeBatch<unknown>, index: number): void;
  /**
   * To be called before the view's snapshot is taken.
   * @param emittedUpTo where the stream stands
   */
  begin(emittedUpTo: PgPosition | null, signal: AbortSignal): Promise<PendingView>;
}

export interface PendingView {
  /** @returns what the view shows, or what is waited for because it does not show enough. */
  judge(facts: ViewFacts, signal: AbortSignal): Promise<ViewContents | string>;
}

interface NextXidRow {
  readonly snapshot: string;
  readonly since_first: number;
}

interface OldestRow {
  readonly pid: number | null;
  readonly seconds: number | null;
}

// A snapshot's xmax does not do: it is behind the newest transaction that ended, and open ones may be younger. `age` counts
// from the transaction id that the server gives next.
const NEXT_XID = `
  SELECT pg_catalog.pg_current_snapshot()::text AS snapshot, pg_catalog.age('3'::pg_catalog.xid)::float8 AS since_first`;

const FIRST_XID = 3;
const TWO_32 = 0x1_0000_0000;

// Everybody may read pg_locks; how old another role's transaction is needs pg_read_all_stats.
const OLDEST = `
  SELECT l.pid, floor(extract(epoch FROM pg_catalog.now() - coalesce(a.xact_start, p.prepared)))::float8 AS seconds
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
    LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid
   WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
   ORDER BY pg_catalog.age(l.transactionid) DESC
   LIMIT 1`;

/** The transaction id that the server gives next: whoever writes now has a lower one. Nothing is written for it. */
export async function readNextXid(sql: SqlQueries, signal: AbortSignal): Promise<number> {
  const [row] = await sql.query<NextXidRow & Record<string, unknown>>(
    'reading the next transaction id',
    NEXT_XID,
    [],
    signal,
  );
  const xmax = Number(row!.snapshot.split(':')[1]);
  const low = (row!.since_first + FIRST_XID + TWO_32) % TWO_32;
  const next = xmax - (xmax % TWO_32) + low;
  return next < xmax ? next + TWO_32 : next;
}

/** In words, the oldest transaction that holds up a view. */
export async function describeOldest(sql: SqlQueries, signal: AbortSignal): Promise<string> {
  const [row] = await sql.query<OldestRow & Record<string, unknown>>(
    'looking for open transactions',
    OLDEST,
    [],
    signal,
  );
  if (row === undefined) return 'none is open any more';
  const what = row.pid === null ? 'the oldest is a prepared one' : `the oldest is that of the process ${row.pid}`;
  return row.seconds === null ? what : `${what}, open for ${row.seconds} s`;
}
