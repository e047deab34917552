import { TailraceError } from '../../src/core/errors.ts';
import { type CatalogColumn, type CatalogTable, catalogTable, type UniqueIndex } from './catalog-column.ts';
import type { Row, SqlConnection } from './connection.ts';
import type { Dialect } from './mysql-type.ts';
import { quotedTable } from './quoted-name.ts';
import { numberOf } from './server-error.ts';
import type { TableName } from './statement.ts';

const COLUMNS = `
  SELECT COLUMN_NAME AS name, COLUMN_TYPE AS column_type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS column_default,
         CHARACTER_SET_NAME AS charset, EXTRA AS extra, COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`;

const INDEXES = `
  SELECT INDEX_NAME AS index_name, COLUMN_NAME AS column_name, SUB_PART AS sub_part
    FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0
   ORDER BY INDEX_NAME = 'PRIMARY' DESC, INDEX_NAME, SEQ_IN_INDEX`;

const TABLE = `
  SELECT SUBSTRING_INDEX(t.TABLE_COLLATION, '_', 1) AS charset
    FROM information_schema.TABLES t WHERE t.TABLE_SCHEMA = ? AND t.TABLE_NAME = ?`;

interface ColumnRow extends Row {
  readonly name: string;
  readonly column_type: string;
  readonly nullable: string;
  readonly column_default: string | null;
  readonly charset: string | null;
  readonly extra: string;
  readonly comment: string;
}

interface IndexRow extends Row {
  readonly index_name: string;
  readonly column_name: string | null;
  readonly sub_part: number | null;
}

/** The table as the catalog has it now, or null where there is none. */
export async function readCatalogTable(
  sql: SqlConnection,
  database: string,
  table: string,
  signal: AbortSignal,
): Promise<CatalogTable | null> {
  const doing = `reading the columns of ${database}.${table}`;
  const statement = await showCreateTable(sql, doing, database, table, signal);
  if (statement === null) return null;
  const rows = await sql.query<ColumnRow>(doing, COLUMNS, [database, table], signal);
  if (rows.length === 0) return null;
  const indexes = await sql.query<IndexRow>(doing, INDEXES, [database, table], signal);
  const [about] = await sql.query<{ charset: string | null }>(doing, TABLE, [database, table], signal);
  const columns = rows.map(columnOf);
  return catalogTable(
    columns.map((column) => withUtcDefault(column, statement)),
    uniquesOf(indexes),
    about?.charset ?? null,
  );
}

const TABLES = `
  SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.TABLES
   WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')`;

/** Every table of the server's users. */
export async function readTableNames(sql: SqlConnection, signal: AbortSignal): Promise<TableName[]> {
  const rows = await sql.query<{ db: string; name: string }>('listing the tables', TABLES, [], signal);
  return rows.map(({ db, name }) => ({ database: db, table: name }));
}

const DATABASE = 'SELECT DEFAULT_CHARACTER_SET_NAME AS charset FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?';

/** Character set of tables that have none of their own; null where there is no such database. */
export async function readDatabaseCharset(
  sql: SqlConnection,
  database: string,
  signal: AbortSignal,
): Promise<string | null> {
  const doing = `reading the character set of ${database}`;
  const [row] = await sql.query<{ charset: string }>(doing, DATABASE, [database], signal);
  return row?.charset ?? null;
}

const COLLATIONS =
  'SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS WHERE ID IS NOT NULL';
/** MariaDB's newer collations have an id for each character set. */
const MARIADB_COLLATIONS = `
  SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY`;

/** Character sets by collation id, which is what the log has. */
export async function readCollations(
  sql: SqlConnection,
  dialect: Dialect,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, string>> {
  const doing = 'reading the collations';
  const rows = await sql.query<{ id: number; charset: string | null }>(doing, COLLATIONS, [], signal);
  if (dialect === 'mariadb') {
    const [column] = await sql.query(
      doing,
      `SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'information_schema'
          AND TABLE_NAME = 'COLLATION_CHARACTER_SET_APPLICABILITY' AND COLUMN_NAME = 'ID'`,
      [],
      signal,
    );
    if (column !== undefined)
      rows.push(...(await sql.query<(typeof rows)[number]>(doing, MARIADB_COLLATIONS, [], signal)));
  }
  return new Map(rows.flatMap(({ id, charset }) => (charset === null || id === null ? [] : [[Number(id), charset]])));
}

/** What MariaDB says of how a column is stored: `/*M!100301 COMPRESSED*\/`, `/* mariadb-5.3 *\/`. */
const COMMENT = / \/\*[^']*\*\/$/;

function columnOf(row: ColumnRow): CatalogColumn {
  return {
    name: row.name,
    columnType: lowerOutsideOfQuotes(row.column_type.replace(COMMENT, '')),
    nullable: row.nullable === 'YES',
    default: row.column_default === null ? null : String(row.column_default),
    charset: row.charset,
    extra: row.extra.toLowerCase(),
    comment: row.comment,
  };
}

function uniquesOf(rows: readonly IndexRow[]): UniqueIndex[] {
  return [...Map.groupBy(rows, (row) => row.index_name)].map(([name, parts]) => ({
    name,
    parts: parts.map(({ column_name, sub_part }) => ({ column: column_name, isWhole: sub_part === null })),
  }));
}

/** A moment in time; INFORMATION_SCHEMA has it in the time zone of whoever made the table, whichever that was. */
function isTimestampDefault({ columnType, default: expression }: CatalogColumn): boolean {
  return columnType.startsWith('timestamp') && expression !== null && /^'?\d{4}-/.test(expression);
}

/** SHOW CREATE TABLE has the defaults of TIMESTAMP columns in the session's time zone, which is UTC. */
function withUtcDefault(column: CatalogColumn, statement: string): CatalogColumn {
  if (!isTimestampDefault(column)) return column;
  const name = `\`${column.name.replaceAll('`', '``')}\` `;
  const line = statement.split('\n').find((text) => text.trimStart().startsWith(name));
  const shown = / DEFAULT ('[^']*')/i.exec(line ?? '')?.[1];
  if (shown === undefined) return column;
  return { ...column, default: column.default?.startsWith("'") === true ? shown : shown.slice(1, -1) };
}

/** ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE */
const ABSENT: ReadonlySet<number | null> = new Set([1049, 1146]);

/**
 * The statement that would make the table; null where there is none. Waits for DDL that is being committed: a statement is
 * in the binlog, and here, before INFORMATION_SCHEMA shows what it did.
 */
async function showCreateTable(
  sql: SqlConnection,
  doing: string,
  database: string,
  table: string,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    const statement = `SHOW CREATE TABLE ${quotedTable({ database, name: table })}`;
    const [row] = await sql.query(doing, statement, [], signal);
    return String(row?.['Create Table'] ?? '');
  } catch (error) {
    if (error instanceof TailraceError && ABSENT.has(numberOf(error.cause))) return null;
    throw error;
  }
}

/** Labels keep their capitals. */
export function lowerOutsideOfQuotes(text: string): string {
  return text.replace(/('(?:[^']|'')*')|([^']+)/g, (_, quoted: string | undefined, plain: string | undefined) =>
    quoted === undefined ? (plain ?? '').toLowerCase() : quoted,
  );
}
