import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { ConnectorDependencies } from '../../../src/core/connector.ts';
import { filterCondition } from '../../../src/core/filter-condition.ts';
import type {
  RowKey,
  SnapshotReader,
  SnapshotTable,
  SnapshotView,
  ViewRefusal,
  ViewRequest,
} from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { MySqlConfig } from '../config.ts';
import { SqlConnection } from '../connection.ts';
import type { MySqlPosition } from '../positions.ts';
import { quotedTable } from '../quoted-name.ts';
import { readServerFacts, type ServerFacts } from '../server-facts.ts';
import { divideTable } from './divide-table.ts';
import { filterError } from './filter-error.ts';
import { type OpenedViews, type OpeningViews, openUnderLock, openWithoutLock, tablesToLock } from './open-bounds.ts';
import { NOWHERE } from './read-batch.ts';
import { readChunk } from './read-chunk.ts';
import type { ReaderConnection } from './reader-connection.ts';
import { ReaderPool } from './reader-pool.ts';
import { RowKeys } from './row-key.ts';
import type { RowSource } from './row-source.ts';
import { MySqlSnapshotView } from './snapshot-view.ts';
import { readSnapshotTables } from './table-catalog.ts';
import { TableDefinitionReader } from './table-definition.ts';
import { underTableLock } from './table-lock.ts';
import { recallBounds, type ViewBounds } from './view-bounds.ts';

/** Attempts to open views between which nothing was committed, before tables are locked for it. */
const EXACT_ATTEMPTS = 5;
/** Rows that a statement has still to send are read and thrown away for so long; then it is killed. */
const DRAIN_MS = 50;
const KILL_MS = 5_000;
const ONE_ROW = { rows: 1, bytes: Number.POSITIVE_INFINITY, timeMs: Number.POSITIVE_INFINITY };

/** Reads tables of MySQL and MariaDB beside their binlog, without a word to the log. */
export class MySqlSnapshotReader implements SnapshotReader<MySqlPosition> {
  readonly #config: MySqlConfig;
  readonly #dependencies: ConnectorDependencies;
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  readonly #pool: ReaderPool;
  readonly #definitions: TableDefinitionReader;
  readonly #rowKeys = new RowKeys();

  private constructor(
    config: MySqlConfig,
    dependencies: ConnectorDependencies,
    sql: SqlConnection,
    server: ServerFacts,
  ) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#sql = sql;
    this.#server = server;
    const { dialect, types, connection } = config;
    this.#pool = new ReaderPool(connection, dependencies.clock, server);
    const logsSigns = (server.variables.get('binlog_row_metadata') ?? 'NO_LOG').toUpperCase() !== 'NO_LOG';
    this.#definitions = new TableDefinitionReader(sql, { dialect, logsSigns }, types);
  }

  static async open(
    config: MySqlConfig,
    dependencies: ConnectorDependencies,
    signal: AbortSignal,
  ): Promise<MySqlSnapshotReader> {
    const sql = new SqlConnection(config.connection);
    try {
      return new MySqlSnapshotReader(config, dependencies, sql, await readServerFacts(sql, config.dialect, signal));
    } catch (error) {
      await sql[Symbol.asyncDispose]();
      throw error;
    }
  }

  recall(mark: string): ViewBounds {
    return recallBounds(mark);
  }

  readTables(signal: AbortSignal): Promise<readonly SnapshotTable[]> {
    return readSnapshotTables(this.#sql, this.#config.source, signal);
  }

  async divide(table: SnapshotTable, count: number, signal: AbortSignal): Promise<readonly RowKey[]> {
    if (table.key === null) return [];
    const read = await this.#definitions.read(table, signal);
    const connections = await this.#pool.take(1, signal);
    const connection = connections[0] as ReaderConnection;
    const cancel = (rows: RowSource) => this.#cancel(connection, rows);
    const firstKeyWhere = async (filter: string): Promise<RowKey | null> => {
      const chunk = { table, after: null, upTo: null, keys: null, filter, limits: ONE_ROW };
      const rows = readChunk({ connection, table: read, chunk, place: NOWHERE, cancel }, signal);
      for (;;) {
        const next = await rows.next();
        if (next.done === true) return next.value.last;
        next.value.release();
      }
    };
    try {
      return await divideTable(this.#sql, table, read, count, firstKeyWhere, signal);
    } finally {
      await this.#pool.giveBack(connections, signal);
    }
  }

  async checkFilter({ id }: SnapshotTable, filter: string, signal: AbortSignal): Promise<void> {
    const name = qualifiedName(id);
    try {
      const statement = `SELECT 1 FROM ${quotedTable(id)} WHERE ${filterCondition(filter)} LIMIT 0`;
      await this.#sql.query(`checking a filter on ${name}`, statement, [], signal);
    } catch (error) {
      throw filterError(error, name) ?? error;
    }
  }

  keyOf(table: SnapshotTable, batch: ChangeBatch<MySqlPosition>, index: number): RowKey | null {
    return this.#rowKeys.of(table, batch, index);
  }

  /** The server itself says what is visible. */
  emitted(_batch: ChangeBatch<MySqlPosition>, _index: number): void {}

  async openView(
    request: ViewRequest<MySqlPosition>,
    signal: AbortSignal,
  ): Promise<SnapshotView<MySqlPosition> | ViewRefusal> {
    const connections = await this.#pool.take(request.readers, signal);
    const close = () => this.#pool.giveBack(connections, new AbortController().signal);
    try {
      const opened = await this.#openBounds(request, connections, signal);
      if ('refusal' in opened) {
        await close();
        return opened;
      }
      const { bounds, at } = opened;
      return new MySqlSnapshotView({
        connections,
        bounds,
        place: { ...at, timeUs: this.#dependencies.clock.nowMs() * 1000 },
        definitions: this.#definitions,
        cancel: (connection, rows) => this.#cancel(connection, rows),
        close,
      });
    } catch (error) {
      await close();
      throw error;
    }
  }

  /** Views on which all tables can be read, one without a key only where exactly what is visible is known. */
  async #openBounds(
    request: ViewRequest<MySqlPosition>,
    connections: readonly ReaderConnection[],
    signal: AbortSignal,
  ): Promise<OpenedViews | ViewRefusal> {
    const mustBeExact = request.tables.some(({ key }) => key === null);
    const { emittedUpTo } = request;
    const opening = { sql: this.#sql, server: this.#server, connections, emittedUpTo, mustBeExact };
    const open = openWithoutLock(this.#server);
    const locked = tablesToLock(request.tables, this.#server);
    if (open === null) return this.#openLocked(opening, locked, signal);
    for (let attempt = 1; ; attempt++) {
      const opened = await open(opening, signal);
      if ('refusal' in opened || opened.isExact || !mustBeExact) return opened;
      if (attempt === EXACT_ATTEMPTS) return this.#openLocked(opening, locked, signal);
    }
  }

  async #openLocked(
    opening: OpeningViews,
    tables: readonly SnapshotTable[],
    signal: AbortSignal,
  ): Promise<OpenedViews | ViewRefusal> {
    const [holder] = await this.#pool.take(1, signal);
    if (holder === undefined) return { refusal: 'no connection for a lock' };
    try {
      const startedMs = performance.now();
      const opened = await underTableLock(holder, tables, () => openUnderLock(opening, signal), signal);
      this.#dependencies.logger.info(
        {
          tables: tables.map(({ id }) => qualifiedName(id)).join(', '),
          lockedMs: Math.round(performance.now() - startedMs),
        },
        'tables were locked for a moment, to open a view whose place in the binlog is known',
      );
      return opened;
    } finally {
      await this.#pool.giveBack([holder], signal);
    }
  }

  /** Ends a statement of which rows are still to come: small rests are read, larger ones not even sent. */
  async #cancel(connection: ReaderConnection, rows: RowSource): Promise<void> {
    rows.discard();
    if (await endsWithin(rows, DRAIN_MS)) return;
    const deadline = AbortSignal.timeout(KILL_MS);
    try {
      await this.#sql.query('ending a statement', `KILL QUERY ${connection.id}`, [], deadline);
      if (await endsWithin(rows, KILL_MS)) {
        // A kill that came too late would meet the next statement.
        await connection.query('ending a statement', 'DO 0', deadline).catch(() => undefined);
        return;
      }
    } catch (error) {
      this.#dependencies.logger.warn({ error }, 'a statement could not be ended: its connection is closed');
    }
    await connection[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]();
    await this.#sql[Symbol.asyncDispose]();
  }
}

async function endsWithin(rows: RowSource, ms: number): Promise<boolean> {
  const timer = new AbortController();
  await Promise.race([rows.ended, delay(ms, undefined, { signal: timer.signal }).catch(() => undefined)]);
  timer.abort();
  return rows.isEnded;
}
