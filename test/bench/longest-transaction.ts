import { setTimeout as pause } from 'node:timers/promises';
import type { LoadedTable } from '../support/loaded-table.ts';
import type { MysqlServer } from '../support/mysql-database.ts';

/** InnoDB answers from a copy that is renewed only when nobody has asked for a tenth of a second. */
const LOOK_MS = 150;

/** How old transactions got on the table's server since the start of the watch: as far as one look every 150 ms tells. */
export class LongestTransaction {
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  #longestMs = 0;

  constructor(database: 'postgres' | MysqlServer, table: LoadedTable) {
    const look = database === 'postgres' ? () => oldestOnPostgres(table) : oldestOnMysql(table);
    this.#watching = this.#watch(look);
    // Told by `end`.
    this.#watching.catch(() => {});
  }

  /** @returns milliseconds. */
  async end(): Promise<number> {
    this.#stop.abort();
    await this.#watching;
    return this.#longestMs;
  }

  async #watch(look: () => Promise<number>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.#longestMs = Math.max(this.#longestMs, await look());
      await pause(LOOK_MS);
    }
  }
}

async function oldestOnPostgres(table: LoadedTable): Promise<number> {
  const [row] = await table.query<{ ms: number }>(
    `SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)) * 1000, 0)::float8 AS ms
       FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type IN ('client backend', 'walsender')`,
  );
  return row!.ms;
}

/** InnoDB tells starts in whole seconds, so that a transaction counts from the look that saw it first. */
function oldestOnMysql(table: LoadedTable): () => Promise<number> {
  let seen = new Map<string, number>();
  return async () => {
    const rows = await table.query<{ transaction: string }>(
      "SELECT CONCAT_WS(' ', trx_mysql_thread_id, trx_id, trx_started) AS transaction FROM information_schema.innodb_trx",
    );
    const now = performance.now();
    seen = new Map(rows.map(({ transaction }) => [transaction, seen.get(transaction) ?? now]));
    return now - Math.min(now, ...seen.values());
  };
}
