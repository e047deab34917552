import type { SignalTableColumn } from '../../src/core/signal-table-shape.ts';
import type { SqlQueries } from './connection.ts';

/** The table that the configuration names for signals. */
export interface SignalTableFacts {
  readonly name: string;
  /** Null where there is none of this name. */
  readonly found: FoundSignalTable | null;
}

export interface FoundSignalTable {
  readonly oid: number;
  /** Null for a table whose rows are logged; else what it is. */
  readonly isOther: string | null;
  /** The role may read it. */
  readonly isReadable: boolean;
  readonly columns: readonly SignalTableColumn[];
}

// Text of any kind, also where it is a domain, and what is published as text.
const TABLE = `
  SELECT c.oid::int8::float8 AS oid,
         CASE WHEN c.relkind = 'v' THEN 'a view' WHEN c.relkind = 'm' THEN 'a materialized view'
              WHEN c.relkind = 'f' THEN 'a foreign table' WHEN c.relkind NOT IN ('r', 'p') THEN 'no table'
              WHEN c.relpersistence = 'u' THEN 'an unlogged table' END AS other,
         pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS readable,
         (SELECT jsonb_agg(jsonb_build_object(
                   'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                   'isText', t.typcategory = 'S' OR t.typname IN ('json', 'jsonb', 'xml', 'uuid')) ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname || '.' || c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`;

interface TableRow {
  readonly oid: number;
  readonly other: string | null;
  readonly readable: boolean;
  readonly columns: readonly SignalTableColumn[] | null;
}

/** @param name `schema.table` */
export async function readSignalTable(sql: SqlQueries, name: string, signal: AbortSignal): Promise<SignalTableFacts> {
  const doing = 'reading the signal table';
  const [row] = await sql.query<TableRow & Record<string, unknown>>(doing, TABLE, [name], signal);
  if (row === undefined) return { name, found: null };
  const { oid, other, readable, columns } = row;
  return { name, found: { oid, isOther: other, isReadable: readable, columns: columns ?? [] } };
}
