import type { ChangeStream, ConnectorDependencies, TailTarget } from '../../src/core/connector.ts';
import { requireTailable, tailSettings } from '../../src/core/live-tail.ts';
import { MemorySchemaStore } from '../../src/core/memory-schema-store.ts';
import { capturesTable } from '../../src/core/settings.ts';
import { BinlogConnection } from './binlog-connection.ts';
import { readCollations } from './catalog.ts';
import { ChangeDecoder } from './change-decoder.ts';
import { changeStream } from './change-stream.ts';
import type { MySqlConfig } from './config.ts';
import { SqlConnection } from './connection.ts';
import { parseGtidProgress } from './gtid-progress.ts';
import type { Dialect } from './mysql-type.ts';
import { parseMySqlConfig } from './parse-config.ts';
import { logPointKey, type MySqlPosition } from './positions.ts';
import { readServerFacts } from './server-facts.ts';
import { startOf } from './session.ts';
import type { TableName } from './statement.ts';
import { TableCache } from './table-cache.ts';
import { readDefinitions, TableDefinitions } from './table-definitions.ts';

const HEARTBEAT_PERIOD_MS = 5_000;
const SILENCE_LIMIT_MS = 60_000;

/** Changes from now on. Nothing is made on the server; the dump ends with its connection. */
export async function openTail(
  dialect: Dialect,
  target: TailTarget,
  { clock, logger }: ConnectorDependencies,
  signal: AbortSignal,
): Promise<ChangeStream<MySqlPosition>> {
  const { connection, source, types, serverId } = tailConfig(dialect, target);
  const sql = new SqlConnection(connection);
  try {
    const server = await readServerFacts(sql, dialect, signal);
    const captures = ({ database, table }: TableName) => capturesTable(source, `${database}.${table}`);
    const schemas = new MemorySchemaStore();
    const definitions = new TableDefinitions({ sql, server, schemas, captures });
    const { head, tables: firstTables } = await readDefinitions({ sql, server, captures }, signal);
    await definitions.seed(firstTables, logPointKey(0, head.file, head.position), signal);
    const from = {
      file: head.file,
      pos: head.position,
      gtids: head.gtids === null ? null : parseGtidProgress(dialect, head.gtids),
      epoch: 0,
    };
    const tables = new TableCache({
      source,
      modes: types,
      types: { dialect, charsets: await readCollations(sql, dialect, signal) },
      sql,
      schemas,
      logger,
      describes: false,
      head: logPointKey(0, head.file, head.position),
      definitions,
    });
    const binlog = await BinlogConnection.start(
      {
        connection,
        dialect,
        identity: server.identity,
        serverId,
        start: startOf(from),
        heartbeatPeriodMs: HEARTBEAT_PERIOD_MS,
        silenceLimitMs: SILENCE_LIMIT_MS,
        clock,
      },
      signal,
    );
    return changeStream({
      connection: binlog,
      tables,
      decoder: new ChangeDecoder({ dialect, tables, from, includeQuery: false }),
      close: async () => {
        await binlog[Symbol.asyncDispose]();
        await sql[Symbol.asyncDispose]();
      },
    });
  } catch (error) {
    await sql[Symbol.asyncDispose]();
    throw error;
  }
}

/** Values as people write them. */
const READABLE_TYPES = { decimal: 'string', time: 'isostring', binary: 'hex', bigint_unsigned: 'precise' } as const;

function tailConfig(dialect: Dialect, target: TailTarget): MySqlConfig {
  // Two tails at a time are two replicas.
  const settings = tailSettings(dialect, `tail-${process.pid}`, target, { types: READABLE_TYPES });
  return requireTailable(
    parseMySqlConfig(dialect, settings),
    'MYSQL_URL_INVALID',
    'Write mysql://user:password@host:3306 or mariadb://…, and ?ssl-mode=required or the like after it.',
  );
}
