import { capturesTable, type SourceSettings } from '../../../src/core/settings.ts';
import type { SnapshotTable } from '../../../src/core/snapshot.ts';
import type { SqlConnection } from '../connection.ts';

/** InnoDB's count of rows is an estimate. */
const TABLES = `
  SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_ROWS AS estimated_rows FROM information_schema.TABLES
   WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
     AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')
   ORDER BY TABLE_SCHEMA, TABLE_NAME`;

const INDEXES = `
  SELECT s.TABLE_SCHEMA AS db, s.TABLE_NAME AS name, s.INDEX_NAME AS index_name, s.COLUMN_NAME AS column_name,
         s.SUB_PART AS sub_part, s.NULLABLE AS nullable, s.INDEX_TYPE AS index_type
    FROM information_schema.STATISTICS s
   WHERE s.NON_UNIQUE = 0 AND s.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')
   ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME = 'PRIMARY' DESC, s.INDEX_NAME, s.SEQ_IN_INDEX`;

interface TableRow extends Record<string, unknown> {
  readonly db: string;
  readonly name: string;
  readonly estimated_rows: number | string | null;
}

interface IndexRow extends Record<string, unknown> {
  readonly db: string;
  readonly name: string;
  readonly index_name: string;
  readonly column_name: string | null;
  readonly sub_part: number | null;
  readonly nullable: string | null;
  readonly index_type: string;
}

/** The captured tables, by name. */
export async function readSnapshotTables(
  sql: SqlConnection,
  source: SourceSettings,
  signal: AbortSignal,
): Promise<SnapshotTable[]> {
  const doing = 'listing the tables and their keys';
  const tables = await sql.query<TableRow>(doing, TABLES, [], signal);
  const indexes = await sql.query<IndexRow>(doing, INDEXES, [], signal);
  const byTable = Map.groupBy(indexes, ({ db, name }) => JSON.stringify([db, name]));
  return tables
    .filter(({ db, name }) => capturesTable(source, `${db}.${name}`))
    .map(({ db, name, estimated_rows }) => ({
      id: { database: db, schema: null, name },
      key: keyOf(byTable.get(JSON.stringify([db, name])) ?? []),
      estimatedRows: estimated_rows === null ? null : Number(estimated_rows),
    }));
}

/** The primary key, else the first unique index, of whole columns that cannot be null. Hash indexes have no order. */
function keyOf(rows: readonly IndexRow[]): readonly string[] | null {
  const indexes = [...Map.groupBy(rows, ({ index_name }) => index_name).values()];
  const index = indexes.find((parts) =>
    parts.every(
      ({ column_name, sub_part, nullable, index_type }) =>
        column_name !== null && sub_part === null && nullable !== 'YES' && index_type === 'BTREE',
    ),
  );
  return index?.map(({ column_name }) => column_name ?? '') ?? null;
}
