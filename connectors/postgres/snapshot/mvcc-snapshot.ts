import { FatalError } from '../../../src/core/errors.ts';

const TWO_32 = 0x1_0000_0000;
const TWO_31 = 0x8000_0000;

/**
 * What `pg_current_snapshot()` shows: transactions below `xmin` have ended, those from `xmax` on are not visible, and
 * between them those in `running`. Transaction ids have 64 bits, which a safe integer holds for any server's lifetime.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
 */
export interface MvccSnapshot {
  readonly xmin: number;
  readonly xmax: number;
  readonly running: ReadonlySet<number>;
}

/** Text form: `10:20:10,14,15`. */
export function parseMvccSnapshot(text: string): MvccSnapshot {
  const [xmin = '', xmax = '', running = ''] = text.split(':');
  const ids = running === '' ? [] : running.split(',').map(Number);
  const snapshot = { xmin: Number(xmin), xmax: Number(xmax), running: new Set(ids) };
  if (xmin !== '' && xmax !== '' && [snapshot.xmin, snapshot.xmax, ...ids].every(Number.isSafeInteger)) return snapshot;
  throw new FatalError(`"${text}" is not a snapshot of Postgres.`, {
    code: 'POSTGRES_UNEXPECTED',
    remedy: 'Is this really a PostgreSQL server of version 14 or newer? If so, report it.',
  });
}

export function mvccSnapshotText({ xmin, xmax, running }: MvccSnapshot): string {
  return `${xmin}:${xmax}:${[...running].join(',')}`;
}

/** The 64-bit id of a transaction of which the low 32 bits are known, as they are in the log: the one nearest to `near`. */
export function widenXid(xid: number, near: number): number {
  const widened = near - (near % TWO_32) + xid;
  if (widened - near > TWO_31) return widened - TWO_32;
  return near - widened > TWO_31 ? widened + TWO_32 : widened;
}

/** Whether a committed transaction is visible. */
export function isVisible({ xmin, xmax, running }: MvccSnapshot, xid: number): boolean {
  return xid < xmin || (xid < xmax && !running.has(xid));
}
