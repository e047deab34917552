import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectorDependencies } from '../../../src/core/connector.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type {
  RowKey,
  SnapshotReader,
  SnapshotTable,
  SnapshotView,
  ViewRefusal,
  ViewRequest,
} from '../../../src/core/snapshot.ts';
import type { PostgresConfig } from '../config.ts';
import { SqlConnection } from '../connection.ts';
import type { PgPosition } from '../positions.ts';
import { readServerFacts, type ServerFacts } from '../server-facts.ts';
import { checkFilter } from './check-filter.ts';
import { dividingKeys } from './dividing-keys.ts';
import { beginView } from './open-view.ts';
import { PrimaryVisibility } from './primary-visibility.ts';
import { readSnapshotTables } from './read-snapshot-tables.ts';
import { ReaderConnection } from './reader-connection.ts';
import { RowBatches } from './row-batch.ts';
import { rowKeyOf } from './row-key.ts';
import { endTransactions, PgSnapshotView } from './snapshot-view.ts';
import { StandbyVisibility } from './standby-visibility.ts';
import { PgViewMark } from './view-mark.ts';
import type { KnownVersions } from './view-table.ts';
import type { Visibility } from './visibility.ts';

/** Reads tables under MVCC snapshots: of a primary, or of a standby, on which it writes nothing. */
export class PgSnapshotReader implements SnapshotReader<PgPosition> {
  readonly #config: PostgresConfig;
  readonly #server: ServerFacts;
  readonly #sql: SqlConnection;
  readonly #visibility: Visibility;
  readonly #closed: AbortController;
  readonly #versions: KnownVersions = new Map();
  readonly #batches = new RowBatches();
  /** Kept from view to view. */
  #connections: ReaderConnection[] = [];
  #isViewing = false;

  private constructor(
    config: PostgresConfig,
    server: ServerFacts,
    sql: SqlConnection,
    visibility: Visibility,
    closed: AbortController,
  ) {
    this.#config = config;
    this.#server = server;
    this.#sql = sql;
    this.#visibility = visibility;
    this.#closed = closed;
  }

  static async open(
    config: PostgresConfig,
    _dependencies: ConnectorDependencies,
    signal: AbortSignal,
  ): Promise<PgSnapshotReader> {
    const sql = new SqlConnection(config.connection, `snapshot ${config.source.name}`);
    const closed = new AbortController();
    try {
      const server = await readServerFacts(sql, signal);
      const visibility = server.isStandby
        ? await StandbyVisibility.open(sql, signal)
        : await PrimaryVisibility.open(sql, closed.signal, signal);
      return new PgSnapshotReader(config, server, sql, visibility, closed);
    } catch (error) {
      await sql[Symbol.asyncDispose]();
      throw error;
    }
  }

  recall(mark: string): PgViewMark {
    return PgViewMark.parse(mark);
  }

  readTables(signal: AbortSignal): Promise<readonly SnapshotTable[]> {
    return readSnapshotTables(this.#sql, this.#config, this.#server, this.#versions, signal);
  }

  divide(table: SnapshotTable, count: number, signal: AbortSignal): Promise<readonly RowKey[]> {
    return dividingKeys(this.#sql, this.#config, this.#server, this.#versions, table, count, signal);
  }

  checkFilter(table: SnapshotTable, filter: string, signal: AbortSignal): Promise<void> {
    return checkFilter(this.#sql, table, filter, signal);
  }

  emitted(batch: ChangeBatch<PgPosition>, index: number): void {
    this.#visibility.emitted(batch, index);
  }

  keyOf(table: SnapshotTable, batch: ChangeBatch<PgPosition>, index: number): RowKey | null {
    return rowKeyOf(table, batch, index);
  }

  async openView(
    request: ViewRequest<PgPosition>,
    signal: AbortSignal,
  ): Promise<SnapshotView<PgPosition> | ViewRefusal> {
    if (this.#isViewing) {
      throw new FatalError('A view was asked for while another is open.', {
        code: 'POSTGRES_SNAPSHOT_CALLS',
        remedy: 'Report this: the calls of a snapshot came in the wrong order.',
      });
    }
    this.#isViewing = true;
    const connections = await this.#connect(request.readers, signal).catch((error: unknown) => {
      this.#isViewing = false;
      throw error;
    });
    let isOpen = false;
    try {
      const opened = await beginView(
        {
          config: this.#config,
          server: this.#server,
          sql: this.#sql,
          connections,
          visibility: this.#visibility,
          versions: this.#versions,
        },
        request,
        signal,
      );
      if ('refusal' in opened) return opened;
      isOpen = true;
      return new PgSnapshotView({
        ...opened,
        connections,
        batches: this.#batches,
        silenceMs: this.#config.connection.queryTimeoutMs,
        onEnd: () => {
          this.#isViewing = false;
        },
      });
    } finally {
      if (!isOpen) {
        await endTransactions(connections);
        this.#isViewing = false;
      }
    }
  }

  /** The first `count` connections; those that broke are made again. */
  async #connect(count: number, signal: AbortSignal): Promise<readonly ReaderConnection[]> {
    this.#connections = this.#connections.filter((connection) => !connection.isBroken);
    const { connection, source } = this.#config;
    const missing = Array.from({ length: Math.max(0, count - this.#connections.length) }, async () => {
      const made = await ReaderConnection.connect(connection, `reader ${source.name}`, this.#sql, this.#server, signal);
      this.#connections.push(made);
    });
    const results = await Promise.allSettled(missing);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return this.#connections.slice(0, count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    const connections = this.#connections;
    this.#connections = [];
    await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()));
    await this.#sql[Symbol.asyncDispose]();
  }
}
