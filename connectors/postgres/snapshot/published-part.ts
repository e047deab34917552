import type { SqlQueries } from '../connection.ts';
import type { ServerFacts } from '../server-facts.ts';

/** What of a table its publications publish. */
export interface PublishedPart {
  /** Column numbers of the column list; null: there is none. */
  readonly columns: readonly number[] | null;
  /** SQL conditions joined by OR; null where one of the publications has every row. */
  readonly rowFilter: string | null;
  /** Stored generated columns are published without a list that names them (Postgres 18). */
  readonly withGenerated: boolean;
}

/** Of a table that is published, or about to be, without list and filter. */
export const WHOLE: PublishedPart = { columns: null, rowFilter: null, withGenerated: false };

interface MemberRow {
  readonly table: number;
  readonly columns: readonly number[] | null;
  readonly row_filter: string | null;
  readonly with_generated: boolean;
}

// A list or a filter is that of the relation under whose name the rows are published; a partition that is published by way
// of a table above it has none of its own.
// Schemas, lists and filters are there from Postgres 15 on.
const MEMBERS = `
  WITH RECURSIVE above(leaf, relation) AS (
    SELECT oid, oid FROM unnest($2::oid[]) AS oid
    UNION
    SELECT a.leaf, i.inhparent
      FROM above a
      JOIN pg_catalog.pg_class c ON c.oid = a.relation AND c.relispartition
      JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.relation
  ), covering AS (
    SELECT DISTINCT t.oid AS "table", p.oid AS publication, to_jsonb(p) ->> 'pubgencols' = 's' AS with_generated
      FROM unnest($2::oid[]) AS t(oid)
      JOIN pg_catalog.pg_publication p ON p.pubname = ANY($1)
     WHERE p.puballtables
        OR EXISTS (SELECT FROM above a JOIN pg_catalog.pg_publication_rel r ON r.prrelid = a.relation
                    WHERE a.leaf = t.oid AND r.prpubid = p.oid)
        __OR_BY_SCHEMA__
  )
  SELECT c."table"::int8::float8 AS "table", coalesce(c.with_generated, false) AS with_generated,
         __COLUMNS__ AS columns, __ROW_FILTER__ AS row_filter
    FROM covering c
    LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = c.publication AND r.prrelid = c."table"`;

const BY_SCHEMA = `
        OR EXISTS (SELECT FROM above a JOIN pg_catalog.pg_class k ON k.oid = a.relation
                    JOIN pg_catalog.pg_publication_namespace s ON s.pnnspid = k.relnamespace
                    WHERE a.leaf = t.oid AND s.pnpubid = p.oid)`;

/** By OID; a table that is in none of the publications is missing. */
export async function readPublishedParts(
  sql: SqlQueries,
  publications: readonly string[],
  server: ServerFacts,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, PublishedPart>> {
  const hasLists = server.version >= 15;
  const statement = MEMBERS.replace('__OR_BY_SCHEMA__', hasLists ? BY_SCHEMA : '')
    .replace('__COLUMNS__', hasLists ? 'r.prattrs::int2[]::int4[]' : 'NULL::int4[]')
    .replace('__ROW_FILTER__', hasLists ? 'pg_catalog.pg_get_expr(r.prqual, r.prrelid)' : 'NULL::text');
  const rows = await sql.query<MemberRow & Record<string, unknown>>(
    'reading what is published of tables',
    statement,
    [publications, oids],
    signal,
  );
  const members = Map.groupBy(rows, ({ table }) => table);
  return new Map([...members].map(([table, of]) => [table, partOf(of)]));
}

function partOf(members: readonly MemberRow[]): PublishedPart {
  const filters = members.flatMap(({ row_filter }) => (row_filter === null ? [] : [`(${row_filter})`]));
  return {
    columns: members.find(({ columns }) => columns !== null)?.columns ?? null,
    rowFilter: filters.length < members.length ? null : filters.join(' OR '),
    withGenerated: members.some(({ with_generated }) => with_generated),
  };
}
