import { ConfigurationError, FatalError, TailraceError } from '../../src/core/errors.ts';
import type { Row, SqlConnection } from './connection.ts';
import type { Dialect } from './mysql-type.ts';
import { numberOf } from './server-error.ts';

/** What a server is and how it logs, read once per session. */
export interface ServerFacts {
  readonly dialect: Dialect;
  readonly version: string;
  /** server_uuid of MySQL; MariaDB has none, its server_id stands for it. */
  readonly identity: string;
  /** Whether positions are told by GTID: always on MariaDB. */
  readonly hasGtids: boolean;
  /** By name, lower case; what a server does not have is missing. */
  readonly variables: ReadonlyMap<string, string>;
}

/** End of the server's log. */
export interface LogHead {
  readonly file: string;
  readonly position: number;
  /** GTIDs executed up to there; null where GTIDs are off. */
  readonly gtids: string | null;
}

export interface BinlogFile {
  readonly name: string;
  readonly bytes: number;
}

/** What tells one server from another. */
export const IDENTITY_VARIABLE: Readonly<Record<Dialect, string>> = { mysql: 'server_uuid', mariadb: 'server_id' };

export async function readServerFacts(sql: SqlConnection, dialect: Dialect, signal: AbortSignal): Promise<ServerFacts> {
  const rows = await sql.query<{ Variable_name: string; Value: string }>(
    'reading what the server is',
    'SHOW GLOBAL VARIABLES',
    [],
    signal,
  );
  const variables = new Map(rows.map((row) => [row.Variable_name.toLowerCase(), String(row.Value)]));
  const version = variables.get('version') ?? '';
  requireDialect(dialect, version);
  const identity = variables.get(IDENTITY_VARIABLE[dialect]);
  if (identity === undefined) throw unexpected('its identity');
  const gtidMode = variables.get('gtid_mode') ?? 'OFF';
  return {
    dialect,
    version,
    identity,
    hasGtids: dialect === 'mariadb' || gtidMode === 'ON' || gtidMode === 'ON_PERMISSIVE',
    variables,
  };
}

function requireDialect(dialect: Dialect, version: string): void {
  const actual: Dialect = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  if (actual === dialect) return;
  throw new ConfigurationError(`The server is ${version}, the source is of type ${dialect}.`, {
    code: 'MYSQL_WRONG_DIALECT',
    remedy: `Set type: ${actual}.`,
  });
}

/** The old name of the statement is gone from MySQL 8.4 on, the new one is not known before 8.2. */
export function headStatement({ dialect, version }: Pick<ServerFacts, 'dialect' | 'version'>): string {
  const isNew = dialect === 'mysql' && !/^(5|8\.0|8\.1)\b/.test(version);
  return isNew ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

/** File and GTIDs of one moment. */
export async function readHead(sql: SqlConnection, facts: ServerFacts, signal: AbortSignal): Promise<LogHead> {
  const row = await readEndOfLog(sql, facts, signal);
  const place = placeIn(row);
  if (!facts.hasGtids) return { ...place, gtids: null };
  if (facts.dialect === 'mysql') {
    return { ...place, gtids: String(row.Executed_Gtid_Set ?? '').replaceAll(/\s/g, '') };
  }
  return { ...place, gtids: (await readGtidsAt(sql, place.file, place.position, signal)) ?? '' };
}

/** Place of one moment. To ask MariaDB for the GTIDs there may cost it a scan of the file. */
export async function readHeadPlace(
  sql: SqlConnection,
  facts: ServerFacts,
  signal: AbortSignal,
): Promise<Pick<LogHead, 'file' | 'position'>> {
  return placeIn(await readEndOfLog(sql, facts, signal));
}

function placeIn(row: Row): Pick<LogHead, 'file' | 'position'> {
  return { file: String(row.File), position: Number(row.Position) };
}

async function readEndOfLog(sql: SqlConnection, facts: ServerFacts, signal: AbortSignal): Promise<Row> {
  const [row] = await sql.query<Row>('reading the end of the binlog', headStatement(facts), [], signal);
  if (row !== undefined) return row;
  throw new ConfigurationError('The server writes no binlog.', {
    code: 'MYSQL_NO_BINLOG',
    remedy: 'Set log_bin and restart the server (managed services: turn on backups or binary logging).',
  });
}

/** MariaDB: the last GTID of every domain before that place in the log; null where there is no such place. */
export async function readGtidsAt(
  sql: SqlConnection,
  file: string,
  position: number,
  signal: AbortSignal,
): Promise<string | null> {
  const statement = 'SELECT BINLOG_GTID_POS(?, ?) AS gtids';
  const [at] = await sql.query<{ gtids: string | null }>('reading the binlog', statement, [file, position], signal);
  return at?.gtids ?? null;
}

export async function readBinlogFiles(sql: SqlConnection, signal: AbortSignal): Promise<readonly BinlogFile[]> {
  const rows = await sql.query<Row>('listing the binlogs', 'SHOW BINARY LOGS', [], signal);
  return rows.map((row) => ({ name: String(row.Log_name), bytes: Number(row.File_size) }));
}

/** What a server executed, and what of it is no longer in its binlogs. */
export interface GtidHistory {
  readonly executed: string;
  readonly purged: string;
}

/** MySQL: two sets of one moment. */
export async function readExecutedSets(
  sql: SqlConnection,
  _files: readonly BinlogFile[],
  signal: AbortSignal,
): Promise<GtidHistory> {
  const statement = 'SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged';
  const [row] = await sql.query<Row>('reading what the server executed', statement, [], signal);
  if (row === undefined) throw unexpected('what it executed');
  return { executed: String(row.executed).replaceAll(/\s/g, ''), purged: String(row.purged).replaceAll(/\s/g, '') };
}

/**
 * MariaDB: the last GTID of every domain and server, and the same before the oldest binlog begins (`[0-1-5,1-2-7]`; empty
 * where there are none, or the file was purged a moment ago).
 */
export async function readDomainStates(
  sql: SqlConnection,
  files: readonly BinlogFile[],
  signal: AbortSignal,
): Promise<GtidHistory> {
  const statement = 'SELECT @@global.gtid_binlog_state AS executed';
  const [row] = await sql.query<Row>('reading what the server executed', statement, [], signal);
  if (row === undefined) throw unexpected('what it executed');
  return { executed: String(row.executed), purged: await readGtidList(sql, files[0]?.name ?? '', signal) };
}

/** Events of a file among which its GTID list is: it follows the format description. */
const FIRST_EVENTS = 4;

/** ER_ERROR_WHEN_EXECUTING_COMMAND: the file is not there. */
const NO_SUCH_FILE = 1220;

async function readGtidList(sql: SqlConnection, file: string, signal: AbortSignal): Promise<string> {
  const statement = 'SHOW BINLOG EVENTS IN ? LIMIT ?';
  try {
    const rows = await sql.query<Row>('reading the oldest binlog', statement, [file, FIRST_EVENTS], signal);
    return String(rows.find((row) => row.Event_type === 'Gtid_list')?.Info ?? '');
  } catch (error) {
    if (error instanceof TailraceError && numberOf(error.cause) === NO_SUCH_FILE) return '';
    throw error;
  }
}

function unexpected(what: string): FatalError {
  return new FatalError(`The server did not tell ${what}.`, {
    code: 'MYSQL_UNEXPECTED',
    remedy: 'Is this really a MySQL or MariaDB server? If so, report it.',
  });
}
