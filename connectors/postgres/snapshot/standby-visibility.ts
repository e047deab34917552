import type { SqlQueries } from '../connection.ts';
import type { PgPosition } from '../positions.ts';
import { compareLsn, LSN_ZERO, type Lsn, parseLsn } from '../protocol/lsn.ts';
import { type PendingView, readNextXid, type Visibility } from './visibility.ts';

/**
 * A standby knows by positions in the log: which transactions run is not in its snapshots. What was replayed before a view
 * was opened is visible in it.
 */
export class StandbyVisibility implements Visibility {
  readonly #sql: SqlQueries;
  /** Transactions below ran on the primary when the reader was opened, as far as the standby had replayed it. */
  readonly #fence: number;

  private constructor(sql: SqlQueries, fence: number) {
    this.#sql = sql;
    this.#fence = fence;
  }

  static async open(sql: SqlQueries, signal: AbortSignal): Promise<StandbyVisibility> {
    return new StandbyVisibility(sql, await readNextXid(sql, signal));
  }

  emitted(): void {
    // What the stream emitted lies before its position, which every view is compared with.
  }

  async begin(emittedUpTo: PgPosition | null, signal: AbortSignal): Promise<PendingView> {
    const replayed = await this.#readReplayed(signal);
    return {
      judge: async ({ snapshot }) => {
        // Other than the list of what runs, its lower bound is kept right on a standby.
        if (snapshot.xmin < this.#fence) {
          return 'transactions that were open on the primary when the snapshot began must end first';
        }
        if (emittedUpTo !== null && compareLsn(emittedUpTo.lsn, replayed) > 0) {
          return 'the standby has not replayed all that was published';
        }
        return { replayed };
      },
    };
  }

  async #readReplayed(signal: AbortSignal): Promise<Lsn> {
    const statement = 'SELECT pg_catalog.pg_last_wal_replay_lsn()::text AS lsn';
    const [row] = await this.#sql.query<{ lsn: string | null }>('reading what was replayed', statement, [], signal);
    return parseLsn(row?.lsn ?? '') ?? LSN_ZERO;
  }
}
