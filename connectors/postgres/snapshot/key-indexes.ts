import type { SqlQueries } from '../connection.ts';
import type { RelationFacts } from '../relation-facts.ts';
import { COMPARISONS, type Comparison, type KeyColumn, type QualifiedName } from './key-order.ts';
import { withoutDomains } from './view-table.ts';

/** A unique B-tree index of a table. */
export interface KeyIndex {
  readonly relation: number;
  /** In the order of the index, without the columns that it only includes. */
  readonly columns: readonly IndexColumn[];
}

interface IndexColumn {
  /** Null for an expression. */
  readonly name: string | null;
  readonly option: number;
  readonly collation: QualifiedName | null;
  /** The operator class's type; null where it is for many (`anyenum`). */
  readonly type: QualifiedName | null;
  /** By strategy number. */
  readonly operators: Readonly<Record<string, QualifiedName>>;
}

/** `pg_index.indoption`: https://www.postgresql.org/docs/current/catalog-pg-index.html */
const DESCENDING = 1;
const NULLS_FIRST = 2;

const INDEXES = `
  SELECT i.indrelid::int8::float8 AS relation,
         jsonb_agg(jsonb_build_object(
           'name', a.attname, 'option', k.option,
           'collation', CASE WHEN co.oid IS NOT NULL THEN jsonb_build_array(cn.nspname, co.collname) END,
           'type', CASE WHEN t.typtype <> 'p' THEN jsonb_build_array(tn.nspname, t.typname) END,
           'operators', (SELECT jsonb_object_agg(m.amopstrategy, jsonb_build_array(n.nspname, o.oprname))
                           FROM pg_catalog.pg_amop m
                           JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr
                           JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                          WHERE m.amopfamily = c.opcfamily AND m.amoplefttype = c.opcintype
                            AND m.amoprighttype = c.opcintype AND m.amoppurpose = 's')) ORDER BY k.place) AS columns
    FROM pg_catalog.pg_index i
    JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    JOIN pg_catalog.pg_am am ON am.oid = x.relam AND am.amname = 'btree'
    CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[], i.indcollation::oid[], i.indoption::int2[])
      WITH ORDINALITY AS k(attnum, opclass, in_collation, option, place)
    JOIN pg_catalog.pg_opclass c ON c.oid = k.opclass
    JOIN pg_catalog.pg_type t ON t.oid = c.opcintype
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = k.in_collation AND k.in_collation <> a.attcollation
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
   WHERE i.indrelid = ANY($1) AND i.indisunique AND i.indisvalid AND i.indislive AND i.indpred IS NULL
     AND k.place <= i.indnkeyatts
   GROUP BY i.indexrelid, i.indrelid, i.indisprimary, x.relname
   ORDER BY i.indisprimary DESC, x.relname`;

export async function readKeyIndexes(
  sql: SqlQueries,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, readonly KeyIndex[]>> {
  const rows = await sql.query<KeyIndex & Record<string, unknown>>('reading unique indexes', INDEXES, [oids], signal);
  return Map.groupBy(rows, ({ relation }) => relation);
}

/** How the key is ordered, by the index that makes it one; null where no B-tree does. */
export function keyColumnsOf(facts: RelationFacts, names: readonly string[], indexes: readonly KeyIndex[]) {
  const { key } = facts;
  if (key === null) return null;
  const index = indexes.find(
    ({ columns }) => columns.length === key.length && columns.every(({ name }, place) => name === key[place]),
  );
  return index?.columns.map((column) => keyColumn(column, facts, names)) ?? null;
}

function keyColumn(column: IndexColumn, facts: RelationFacts, names: readonly string[]): KeyColumn {
  const name = column.name as string;
  const own = withoutDomains(facts.columns[names.indexOf(name)]!.type);
  const operators = Object.fromEntries(
    Object.entries(COMPARISONS).map(([comparison, strategy]) => [comparison, column.operators[strategy]]),
  ) as Record<Comparison, QualifiedName>;
  return {
    name,
    type: column.type ?? [own.schema, own.name],
    collation: column.collation,
    isDescending: (column.option & DESCENDING) !== 0,
    nullsFirst: (column.option & NULLS_FIRST) !== 0,
    operators,
  };
}
