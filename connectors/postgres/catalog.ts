import type { SqlQueries } from './connection.ts';
import type { PgType } from './pg-type.ts';

/** What the catalog knows of a table now, which may be later than the log being read. */
export interface CatalogTable {
  /** By name; dropped columns are missing. */
  readonly columns: ReadonlyMap<string, CatalogColumn>;
  /** Column names in the order of the constraint; null without primary key. */
  readonly primaryKey: readonly string[] | null;
  /** Columns of the index of REPLICA IDENTITY USING INDEX. */
  readonly identityIndex: readonly string[] | null;
  /** Unique, immediate, whole (neither partial nor on expressions), on NOT NULL columns; by name of the index. */
  readonly uniqueKeys: readonly (readonly string[])[];
}

export interface CatalogColumn {
  readonly nullable: boolean;
  /** Text of the default; null where there is none or the column is generated. */
  readonly defaultExpression: string | null;
}

interface ColumnRow {
  readonly relation: number;
  readonly name: string;
  readonly not_null: boolean;
  readonly default_expression: string | null;
}

interface IndexRow {
  readonly relation: number;
  readonly is_primary: boolean;
  readonly is_identity: boolean;
  readonly is_plain_unique: boolean;
  readonly columns: readonly string[];
}

interface TypeRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly type: string;
  readonly element: number;
  readonly base: number;
  readonly base_typmod: number;
  readonly labels: readonly string[] | null;
}

type Row = Record<string, unknown>;

const COLUMNS = `
  SELECT a.attrelid::int8::float8 AS relation, a.attname AS name,
         a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS not_null,
         CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS default_expression
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

const INDEXES = `
  SELECT i.indrelid::int8::float8 AS relation, i.indisprimary AS is_primary,
         i.indisreplident AS is_identity,
         i.indisunique AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
           AND bool_and(coalesce(a.attnotnull, false)) AS is_plain_unique,
         array_agg(a.attname::text ORDER BY k.place) AS columns
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, place)
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
   WHERE i.indrelid = ANY($1) AND i.indisvalid AND i.indislive AND k.place <= i.indnkeyatts
   GROUP BY i.indexrelid, i.indrelid, i.indisprimary, i.indisreplident, i.indisunique, i.indimmediate,
            i.indpred IS NULL, i.indexprs IS NULL, c.relname
   ORDER BY c.relname`;

const TYPES = `
  WITH RECURSIVE needed(oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT part
      FROM needed n
      JOIN pg_catalog.pg_type t ON t.oid = n.oid
      CROSS JOIN LATERAL unnest(ARRAY[t.typbasetype, CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END]) AS part
     WHERE part <> 0
  )
  SELECT t.oid::int8::float8 AS oid, s.nspname AS schema, t.typname AS name, t.typtype AS type,
         (CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END)::int8::float8 AS element,
         t.typbasetype::int8::float8 AS base, t.typtypmod AS base_typmod,
         (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) AS labels
    FROM needed n
    JOIN pg_catalog.pg_type t ON t.oid = n.oid
    JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace`;

const KINDS: Readonly<Record<string, PgType['kind']>> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  r: 'range',
  m: 'multirange',
  p: 'pseudo',
};

/** A table that was dropped has no columns. */
export async function readCatalogTable(sql: SqlQueries, oid: number, signal: AbortSignal): Promise<CatalogTable> {
  return (await readCatalogTables(sql, [oid], signal)).get(oid) as CatalogTable;
}

/** By OID, one for each of `oids`. */
export async function readCatalogTables(
  sql: SqlQueries,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, CatalogTable>> {
  const columns = await sql.query<ColumnRow & Row>('reading the columns of a table', COLUMNS, [oids], signal);
  const indexes = await sql.query<IndexRow & Row>('reading the indexes of a table', INDEXES, [oids], signal);
  const columnsOf = Map.groupBy(columns, ({ relation }) => relation);
  const indexesOf = Map.groupBy(indexes, ({ relation }) => relation);
  return new Map(oids.map((oid) => [oid, catalogTable(columnsOf.get(oid) ?? [], indexesOf.get(oid) ?? [])]));
}

function catalogTable(columns: readonly ColumnRow[], indexes: readonly IndexRow[]): CatalogTable {
  return {
    columns: new Map(
      columns.map((row) => [row.name, { nullable: !row.not_null, defaultExpression: row.default_expression }]),
    ),
    primaryKey: indexes.find((index) => index.is_primary)?.columns ?? null,
    identityIndex: indexes.find((index) => index.is_identity)?.columns ?? null,
    uniqueKeys: indexes.filter((index) => index.is_plain_unique).map((index) => index.columns),
  };
}

/** The types with everything they are made of; a type that was dropped since is missing. */
export async function readTypes(
  sql: SqlQueries,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PgType>> {
  const rows = await sql.query<TypeRow & Row>('reading types', TYPES, [[...new Set(oids)]], signal);
  const byOid = new Map(rows.map((row) => [row.oid, row]));
  const types = new Map<number, PgType>();
  for (const row of rows) types.set(row.oid, typeOf(row, byOid));
  return types;
}

function typeOf(row: TypeRow, rows: ReadonlyMap<number, TypeRow>): PgType {
  const element = rows.get(row.element);
  const base = rows.get(row.base);
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: KINDS[row.type] ?? 'base',
    element: element === undefined ? null : typeOf(element, rows),
    base: base === undefined ? null : { type: typeOf(base, rows), typmod: row.base_typmod },
    labels: row.labels ?? [],
  };
}
