import type { Checkpoint } from '../../src/core/checkpoint.ts';
import { rawBytesCodec } from '../../src/core/codecs/binary.ts';
import type {
  ChangeStream,
  ConnectorDependencies,
  ResumeVerdict,
  SourceHealth,
  SourceSession,
} from '../../src/core/connector.ts';
import { FatalError } from '../../src/core/errors.ts';
import type { SchemaStore } from '../../src/core/schema-store.ts';
import { capturesTable } from '../../src/core/settings.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import { waitForTurn } from '../../src/core/wait-for-turn.ts';
import { BinlogConnection, type DumpStart } from './binlog-connection.ts';
import { readCollations } from './catalog.ts';
import { ChangeDecoder } from './change-decoder.ts';
import { changeStream } from './change-stream.ts';
import type { MySqlConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { parseGtidProgress } from './gtid-progress.ts';
import { Lease } from './lease.ts';
import { logPointKey, type MySqlPosition, mysqlPositions } from './positions.ts';
import { assessResume } from './resume.ts';
import {
  type BinlogFile,
  type LogHead,
  readBinlogFiles,
  readDomainStates,
  readExecutedSets,
  readGtidsAt,
  readHead,
  readHeadPlace,
  readServerFacts,
  type ServerFacts,
} from './server-facts.ts';
import { MySqlSourceBlock } from './source-block.ts';
import type { TableName } from './statement.ts';
import { TableCache } from './table-cache.ts';
import { readDefinitions, TableDefinitions, type TableDefinitionsOptions } from './table-definitions.ts';

const HEARTBEAT_PERIOD_MS = 5_000;
const SILENCE_LIMIT_MS = 60_000;
/** Of a server's files from the first start on; another server's are the next. */
const FIRST_EPOCH = 0;

/** One attempt to run a MySQL or MariaDB source: a connection for the catalog, one that holds the lease, one for the log. */
export class MySqlSession implements SourceSession<MySqlPosition> {
  readonly sourceBlock: MySqlSourceBlock;
  readonly messageContent: ColumnCodec;
  readonly #config: MySqlConfig;
  readonly #dependencies: ConnectorDependencies;
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  readonly #lease: Lease;
  #stream: ChangeStream<MySqlPosition> | null = null;
  #decoder: ChangeDecoder | null = null;
  #binlog: BinlogConnection | null = null;
  #leaseLoss: unknown = null;
  #headAtLastLook: LogHead | null = null;
  #epoch = FIRST_EPOCH;

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
    this.#lease = new Lease(config.connection, config.source.name, (error) => this.#onLeaseLost(error));
    this.sourceBlock = new MySqlSourceBlock(config.dialect, config.source.topicPrefix);
    this.messageContent = rawBytesCodec(config.types);
  }

  static async open(
    config: MySqlConfig,
    dependencies: ConnectorDependencies,
    signal: AbortSignal,
  ): Promise<MySqlSession> {
    const sql = new SqlConnection(config.connection);
    try {
      return new MySqlSession(config, dependencies, sql, await readServerFacts(sql, config.dialect, signal));
    } catch (error) {
      await sql[Symbol.asyncDispose]();
      throw error;
    }
  }

  get serverIdentity(): string {
    return this.#server.identity;
  }

  claim(signal: AbortSignal): Promise<void> {
    return waitForTurn(
      this.#dependencies,
      'another process reads the binlog for this source; waiting until it stops',
      async () => ((await this.#lease.tryToTake()) ? null : {}),
      signal,
    );
  }

  async assessResume(checkpoint: Checkpoint | null): Promise<ResumeVerdict<MySqlPosition>> {
    const { signal } = new AbortController();
    const { dialect, identity, hasGtids } = this.#server;
    const files = await readBinlogFiles(this.#sql, signal);
    // Of now: the owner before went on while this session waited for its turn.
    const read = dialect === 'mysql' ? readExecutedSets : readDomainStates;
    const sets = hasGtids ? await read(this.#sql, files, signal) : { executed: '', purged: '' };
    const gtidsAtCheckpoint = await this.#readGtidsAt(checkpoint, files, signal);
    return assessResume({ dialect, identity, hasGtids, ...sets, files, gtidsAtCheckpoint }, checkpoint);
  }

  async #readGtidsAt(
    checkpoint: Checkpoint | null,
    files: readonly BinlogFile[],
    signal: AbortSignal,
  ): Promise<string | null> {
    const { dialect, identity } = this.#server;
    if (dialect === 'mysql' || checkpoint?.position == null || checkpoint.serverIdentity !== identity) return null;
    const { file, pos } = mysqlPositions(dialect).decode(checkpoint.position);
    const isThere = files.some(({ name, bytes }) => name === file && bytes >= pos);
    return isThere ? readGtidsAt(this.#sql, file, pos, signal) : null;
  }

  async initialise(schemas: SchemaStore, signal: AbortSignal): Promise<MySqlPosition> {
    const parts = this.#definitionParts();
    const { head, tables } = await readDefinitions(parts, signal);
    const { file, position, gtids } = head;
    await new TableDefinitions({ ...parts, schemas }).seed(tables, logPointKey(FIRST_EPOCH, file, position), signal);
    this.#dependencies.logger.info({ file, position, gtids }, 'starting at the end of the binlog');
    return {
      file,
      pos: position,
      gtids: gtids === null ? null : parseGtidProgress(this.#config.dialect, gtids),
      epoch: FIRST_EPOCH,
    };
  }

  #definitionParts(): Omit<TableDefinitionsOptions, 'schemas'> {
    const { source } = this.#config;
    const captures = ({ database, table }: TableName) => capturesTable(source, `${database}.${table}`);
    return { sql: this.#sql, server: this.#server, captures };
  }

  async stream(from: MySqlPosition, schemas: SchemaStore, signal: AbortSignal): Promise<ChangeStream<MySqlPosition>> {
    if (this.#stream !== null) {
      throw new FatalError('A second stream was asked for in one session.', {
        code: 'MYSQL_NOT_CLAIMED',
        remedy: 'Report this: the calls of a session came in the wrong order.',
      });
    }
    const { dialect, connection, types, source, serverId, includeQuery, includeSchemaChanges } = this.#config;
    const { clock, logger } = this.#dependencies;
    const head = await readHead(this.#sql, this.#server, signal);
    this.#headAtLastLook = head;
    this.#epoch = from.epoch;
    const definitions = new TableDefinitions({ ...this.#definitionParts(), schemas });
    const tables = new TableCache({
      source,
      modes: types,
      types: { dialect, charsets: await readCollations(this.#sql, dialect, signal) },
      sql: this.#sql,
      schemas,
      logger,
      describes: includeSchemaChanges,
      head: logPointKey(from.epoch, head.file, head.position),
      definitions,
    });
    const binlog = await BinlogConnection.start(
      {
        connection,
        dialect,
        identity: this.#server.identity,
        serverId,
        start: startOf(from),
        heartbeatPeriodMs: HEARTBEAT_PERIOD_MS,
        silenceLimitMs: SILENCE_LIMIT_MS,
        clock,
      },
      signal,
    );
    this.#binlog = binlog;
    if (this.#leaseLoss !== null) binlog.inbox.fail(this.#leaseLoss);
    this.#decoder = new ChangeDecoder({ dialect, tables, from, includeQuery });
    this.#stream = changeStream({
      connection: binlog,
      tables,
      decoder: this.#decoder,
      close: () => binlog[Symbol.asyncDispose](),
    });
    return this.#stream;
  }

  async confirmOwnership(): Promise<void> {
    await this.#lease.confirm();
  }

  async readHead(signal: AbortSignal): Promise<MySqlPosition> {
    const { file, position } = await readHeadPlace(this.#sql, this.#server, signal);
    return { file, pos: position, gtids: null, epoch: this.#epoch };
  }

  async readHealth(signal: AbortSignal): Promise<SourceHealth> {
    // Of the look before: what was written since may well be on its way.
    const before = this.#headAtLastLook;
    const reached = this.#decoder?.reached;
    const isBehind =
      before !== null &&
      reached !== undefined &&
      logPointKey(0, reached.file, reached.position) < logPointKey(0, before.file, before.position);
    const head = await readHead(this.#sql, this.#server, signal);
    this.#headAtLastLook = head;
    return {
      isBehind,
      retainedWalBytes: null,
      facts: {
        server_version: this.#server.version,
        gtids: this.#server.hasGtids,
        head_file: head.file,
        head_position: head.position,
        read_file: reached?.file ?? null,
        read_position: reached?.position ?? null,
        servers_before: this.#epoch,
      },
    };
  }

  #onLeaseLost(error: unknown): void {
    this.#leaseLoss = error;
    this.#binlog?.inbox.fail(error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream?.[Symbol.asyncDispose]();
    await this.#lease[Symbol.asyncDispose]();
    await this.#sql[Symbol.asyncDispose]();
  }
}

export function startOf({ file, pos, gtids }: MySqlPosition): DumpStart {
  return gtids === null ? { kind: 'file', file, position: pos } : { kind: 'gtids', executed: gtids.toString() };
}
