import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { TailraceError } from '../../../src/core/errors.ts';
import type { SqlQueries } from '../connection.ts';
import { isVisible, type MvccSnapshot, parseMvccSnapshot, widenXid } from './mvcc-snapshot.ts';
import { type ViewContents, xidOf } from './view-mark.ts';
import { describeOldest, type PendingView, readNextXid, type Visibility } from './visibility.ts';

/** Remembered transactions from which on those that became visible are looked for without waiting for a view. */
const MANY = 10_000;

/**
 * A primary knows by transaction ids. The log is sent before a commit becomes visible (under synchronous replication long
 * before), so what was emitted is remembered until a snapshot shows it.
 */
export class PrimaryVisibility implements Visibility {
  readonly #sql: SqlQueries;
  /** Transactions below ran when the reader was opened, or before: they must have ended. */
  readonly #fence: number;
  readonly #stopped: AbortSignal;
  readonly #emitted = new Set<number>();
  #looking: Promise<void> | null = null;
  #lookAgainAt = MANY;

  private constructor(sql: SqlQueries, fence: number, stopped: AbortSignal) {
    this.#sql = sql;
    this.#fence = fence;
    this.#stopped = stopped;
  }

  /** `stopped` aborts what runs beside the calls. */
  static async open(sql: SqlQueries, stopped: AbortSignal, signal: AbortSignal): Promise<PrimaryVisibility> {
    return new PrimaryVisibility(sql, await readNextXid(sql, signal), stopped);
  }

  emitted(batch: ChangeBatch<unknown>, index: number): void {
    const xid = xidOf(batch, index);
    if (xid === null) return;
    this.#emitted.add(xid);
    if (this.#emitted.size >= this.#lookAgainAt) this.#looking ??= this.#look();
  }

  async begin(): Promise<PendingView> {
    return {
      judge: async ({ snapshot }, signal): Promise<ViewContents | string> => {
        if (snapshot.xmin < this.#fence) {
          const oldest = await describeOldest(this.#sql, signal);
          return `transactions that were open when the snapshot began must end first: ${oldest}`;
        }
        this.#forgetVisible(snapshot);
        if (this.#emitted.size > 0) {
          const oldest = await describeOldest(this.#sql, signal);
          const waits = 'Postgres makes them visible once a synchronous standby has confirmed them';
          return `${this.#emitted.size} published transactions are not visible yet (${waits}): ${oldest}`;
        }
        return { snapshot };
      },
    };
  }

  /** Those that are visible in one snapshot are in every later one. */
  #forgetVisible(snapshot: MvccSnapshot): void {
    for (const xid of this.#emitted) {
      if (isVisible(snapshot, widenXid(xid, snapshot.xmax))) this.#emitted.delete(xid);
    }
    this.#lookAgainAt = Math.max(MANY, this.#emitted.size * 2);
  }

  async #look(): Promise<void> {
    try {
      const statement = 'SELECT pg_catalog.pg_current_snapshot()::text AS snapshot';
      const [row] = await this.#sql.query<{ snapshot: string }>('looking at a snapshot', statement, [], this.#stopped);
      this.#forgetVisible(parseMvccSnapshot(row!.snapshot));
    } catch (error) {
      // The next view meets what is wrong with the connection, or nobody wants one any more.
      if (!this.#stopped.aborted && !(error instanceof TailraceError)) throw error;
      this.#lookAgainAt *= 2;
    } finally {
      this.#looking = null;
    }
  }
}
