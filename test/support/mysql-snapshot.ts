import type { MySqlConfig } from '../../connectors/mysql/config.ts';
import { SqlConnection } from '../../connectors/mysql/connection.ts';
import { mariadb, mysql } from '../../connectors/mysql/index.ts';
import type { MySqlPosition } from '../../connectors/mysql/positions.ts';
import { readServerFacts, type ServerFacts } from '../../connectors/mysql/server-facts.ts';
import { MySqlSession } from '../../connectors/mysql/session.ts';
import { MySqlSnapshotReader } from '../../connectors/mysql/snapshot/snapshot-reader.ts';
import type { ChangeBatch } from '../../src/core/change-batch.ts';
import type { ChangeStream, ConnectorDependencies } from '../../src/core/connector.ts';
import { tailSettings } from '../../src/core/live-tail.ts';
import type { Logger } from '../../src/core/logger.ts';
import { MemorySchemaStore } from '../../src/core/memory-schema-store.ts';
import { Secret } from '../../src/core/secret.ts';
import type { SourceSettings } from '../../src/core/settings.ts';
import type { Chunk, ChunkEnd, SnapshotTable, SnapshotView } from '../../src/core/snapshot.ts';
import { SystemClock } from '../../src/observability/system-clock.ts';
import { createMysqlDatabase, type MysqlDatabase, type MysqlServer } from './mysql-database.ts';
import type { TypeSettings } from './mysql-type-judges.ts';
import { uniqueName } from './unique-name.ts';

export const NO_LIMITS = { rows: 1_000_000_000, bytes: Number.POSITIVE_INFINITY, timeMs: Number.POSITIVE_INFINITY };

export interface LabStream extends AsyncDisposable {
  readonly session: MySqlSession;
  readonly from: MySqlPosition;
  readonly changes: ChangeStream<MySqlPosition>;
}

export type LoggedLine = readonly [object, string];

/** A database on a real server and what reads its tables. */
export class SnapshotLab implements AsyncDisposable {
  readonly database: MysqlDatabase;
  readonly config: MySqlConfig;
  readonly server: ServerFacts;
  readonly reader: MySqlSnapshotReader;
  readonly source: SourceSettings;
  readonly dependencies: ConnectorDependencies;
  readonly logged: LoggedLine[];
  readonly signal = AbortSignal.timeout(120_000);

  private constructor(
    database: MysqlDatabase,
    config: MySqlConfig,
    server: ServerFacts,
    reader: MySqlSnapshotReader,
    dependencies: ConnectorDependencies,
    logged: LoggedLine[],
  ) {
    this.database = database;
    this.config = config;
    this.source = config.source;
    this.server = server;
    this.reader = reader;
    this.dependencies = dependencies;
    this.logged = logged;
  }

  static async open(server: MysqlServer, { types = {} }: { types?: TypeSettings } = {}): Promise<SnapshotLab> {
    const database = await createMysqlDatabase(server);
    const logged: LoggedLine[] = [];
    const log = (fields: object, message: string) => void logged.push([fields, message]);
    const logger: Logger = { child: () => logger, debug: log, info: log, warn: log, error: log };
    const dependencies: ConnectorDependencies = {
      logger,
      metrics: { add() {}, set() {}, observe() {} } as unknown as ConnectorDependencies['metrics'],
      clock: new SystemClock(),
    };
    const connector = server === 'mysql' ? mysql : mariadb;
    const target = { url: new Secret(database.url), tables: [new RegExp(`^${database.name}\\..*$`)] };
    const parsed = connector.parseConfig(tailSettings(server, uniqueName('snap'), target, { types }));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    const signal = AbortSignal.timeout(30_000);
    await using sql = new SqlConnection(parsed.value.connection);
    const facts = await readServerFacts(sql, server, signal);
    const reader = await MySqlSnapshotReader.open(parsed.value, dependencies, signal);
    return new SnapshotLab(database, parsed.value, facts, reader, dependencies, logged);
  }

  /** Changes from now on, as the daemon gets them. */
  async stream(): Promise<LabStream> {
    const session = await MySqlSession.open(this.config, this.dependencies, this.signal);
    const schemas = new MemorySchemaStore();
    const from = await session.initialise(schemas, this.signal);
    const changes = await session.stream(from, schemas, this.signal);
    return { session, from, changes, [Symbol.asyncDispose]: () => session[Symbol.asyncDispose]() };
  }

  async table(name: string): Promise<SnapshotTable> {
    const tables = await this.reader.readTables(this.signal);
    const found = tables.find(({ id }) => id.name === name);
    if (found === undefined) throw new Error(`${name} is not among the tables`);
    return found;
  }

  async view(
    tables: readonly SnapshotTable[],
    readers = 1,
    emittedUpTo: MySqlPosition | null = null,
  ): Promise<SnapshotView<MySqlPosition>> {
    const view = await this.reader.openView({ tables, readers, emittedUpTo }, this.signal);
    if ('refusal' in view) throw new Error(view.refusal);
    return view;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.reader[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
  }
}

export function chunkOf(table: SnapshotTable, more: Partial<Chunk> = {}): Chunk {
  return { table, after: null, upTo: null, keys: null, filter: null, limits: NO_LIMITS, ...more };
}

/** Pulls a chunk to its end; `onBatch` sees each batch before it is released. */
export async function drain(
  chunk: AsyncGenerator<ChangeBatch<MySqlPosition>, ChunkEnd, void>,
  onBatch: (batch: ChangeBatch<MySqlPosition>) => void,
): Promise<ChunkEnd> {
  for (;;) {
    const next = await chunk.next();
    if (next.done === true) return next.value;
    onBatch(next.value);
    next.value.release();
  }
}
