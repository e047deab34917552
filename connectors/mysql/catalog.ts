import type { CatalogColumn, CatalogTable } from './catalog-column.ts';
import type { Row, SqlConnection } from './connection.ts';
import type { Dialect } from './mysql-type.ts';

const COLUMNS = `
  SELECT COLUMN_NAME AS name, COLUMN_TYPE AS column_type, IS_NULLABLE AS nullable, COLUMN_DEFAULT AS column_default,
         CHARACTER_SET_NAME AS charset, EXTRA AS extra, COLUMN_COMMENT AS comment
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION`;

const INDEXES = `
  SELECT INDEX_NAME AS index_name, COLUMN_NAME AS column_name, NULLABLE AS nullable, SUB_PART AS sub_part
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
  readonly nullable: string;
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
  const rows = await sql.query<ColumnRow>(doing, COLUMNS, [database, table], signal);
  if (rows.length === 0) return null;
  const indexes = await sql.query<IndexRow>(doing, INDEXES, [database, table], signal);
  const [about] = await sql.query<{ charset: string | null }>(doing, TABLE, [database, table], signal);
  const primaryKey = columnsOf(indexes, 'PRIMARY');
  const columns = rows.map(columnOf);
  const hasTimestampDefault = columns.some(isTimestampDefault);
  return {
    columns: hasTimestampDefault ? await withUtcDefaults(sql, database, table, columns, signal) : columns,
    key: primaryKey.length > 0 ? primaryKey : uniqueKey(indexes),
    primaryKey,
    defaultCharset: about?.charset ?? null,
  };
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

function columnOf(row: ColumnRow): CatalogColumn {
  return {
    name: row.name,
    columnType: lowerOutsideOfQuotes(row.column_type),
    nullable: row.nullable === 'YES',
    default: row.column_default === null ? null : String(row.column_default),
    charset: row.charset,
    extra: row.extra.toLowerCase(),
    comment: row.comment,
  };
}

function columnsOf(indexes: readonly IndexRow[], name: string): string[] {
  return indexes.flatMap((row) => (row.index_name === name && row.column_name !== null ? [row.column_name] : []));
}

/** As Debezium: where there is no primary key, a unique index over columns that cannot be null. */
function uniqueKey(indexes: readonly IndexRow[]): readonly string[] | null {
  for (const name of new Set(indexes.map((row) => row.index_name))) {
    const rows = indexes.filter((row) => row.index_name === name);
    const isUsable = rows.every((row) => row.nullable !== 'YES' && row.column_name !== null && row.sub_part === null);
    if (isUsable) return columnsOf(rows, name);
  }
  return null;
}

/** A moment in time; INFORMATION_SCHEMA has it in the time zone of whoever made the table, whichever that was. */
function isTimestampDefault({ columnType, default: expression }: CatalogColumn): boolean {
  return columnType.startsWith('timestamp') && expression !== null && /^'?\d{4}-/.test(expression);
}

/** SHOW CREATE TABLE has the defaults of TIMESTAMP columns in the session's time zone, which is UTC. */
async function withUtcDefaults(
  sql: SqlConnection,
  database: string,
  table: string,
  columns: readonly CatalogColumn[],
  signal: AbortSignal,
): Promise<readonly CatalogColumn[]> {
  const doing = `reading the defaults of ${database}.${table}`;
  const [row] = await sql.query(doing, 'SHOW CREATE TABLE ??.??', [database, table], signal);
  const lines = String(row?.['Create Table'] ?? '').split('\n');
  return columns.map((column) => {
    if (!isTimestampDefault(column)) return column;
    const line = lines.find((text) => text.trimStart().startsWith(`\`${column.name.replaceAll('`', '``')}\` `));
    const shown = / DEFAULT ('[^']*')/i.exec(line ?? '')?.[1];
    if (shown === undefined) return column;
    return { ...column, default: column.default?.startsWith("'") === true ? shown : shown.slice(1, -1) };
  });
}

/** Labels keep their capitals. */
export function lowerOutsideOfQuotes(text: string): string {
  return text.replace(/('(?:[^']|'')*')|([^']+)/g, (_, quoted: string | undefined, plain: string | undefined) =>
    quoted === undefined ? (plain ?? '').toLowerCase() : quoted,
  );
}
