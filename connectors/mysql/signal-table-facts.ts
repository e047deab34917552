import type { SignalTableColumn } from '../../src/core/signal-table-shape.ts';
import type { SqlConnection } from './connection.ts';
import { headStatement, type ServerFacts } from './server-facts.ts';

/** The table that the configuration names for signals. */
export interface SignalTableFacts {
  /** `database.table` */
  readonly name: string;
  /** Null where the account sees no table of this name. */
  readonly columns: readonly SignalTableColumn[] | null;
  /** The server leaves changes of its database out of the binlog. */
  readonly isLeftOut: boolean;
}

const COLUMNS = `
  SELECT c.COLUMN_NAME AS name, c.COLUMN_TYPE AS type,
         LOWER(c.DATA_TYPE) IN ('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'enum', 'set', 'json', 'uuid')
           AS is_text
    FROM information_schema.COLUMNS c JOIN information_schema.TABLES t
      ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME AND t.TABLE_TYPE = 'BASE TABLE'
   WHERE c.TABLE_SCHEMA = ? AND c.TABLE_NAME = ?
   ORDER BY c.ORDINAL_POSITION`;

/** @param name `database.table` */
export async function readSignalTable(
  sql: SqlConnection,
  server: ServerFacts,
  name: string,
  signal: AbortSignal,
): Promise<SignalTableFacts> {
  const doing = 'reading the signal table';
  const at = name.indexOf('.');
  const [database, table] = [name.slice(0, at), name.slice(at + 1)];
  const rows = await sql.query<{ name: string; type: string; is_text: number }>(
    doing,
    COLUMNS,
    [database, table],
    signal,
  );
  const [filters] = await sql
    .query(doing, headStatement(server), [], signal)
    // Without the privilege the grants say so.
    .catch(() => []);
  const only = namesIn(filters?.Binlog_Do_DB);
  return {
    name,
    columns:
      rows.length === 0
        ? null
        : rows.map(({ name: column, type, is_text }) => ({ name: column, type, isText: Number(is_text) === 1 })),
    isLeftOut: (only.length > 0 && !only.includes(database)) || namesIn(filters?.Binlog_Ignore_DB).includes(database),
  };
}

function namesIn(list: unknown): readonly string[] {
  return String(list ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}
