import type { SqlQueries } from './connection.ts';

/** A publication and the captured tables in it, with the identities by which a recreated one is told from the old. */
export interface PublicationFacts {
  readonly name: string;
  readonly oid: number;
  readonly allTables: boolean;
  readonly operations: string;
  readonly viaRoot: boolean;
  /** The role may alter it. */
  readonly owned: boolean;
  /** By OID of the table; empty where all tables are published. */
  readonly members: ReadonlyMap<number, PublicationMember>;
}

export interface PublicationMember {
  /** OID of the membership: another one after the table was removed and added again. */
  readonly membership: number;
  readonly rowFilter: string | null;
  readonly columns: readonly number[] | null;
  /** The table is in it because its schema is. */
  readonly bySchema: boolean;
}

interface PublicationRow {
  readonly oid: number;
  readonly name: string;
  readonly all_tables: boolean;
  readonly operations: string;
  readonly via_root: boolean;
  readonly owned: boolean;
  readonly members: readonly {
    table: number;
    membership: number;
    row_filter: string | null;
    columns: readonly number[] | null;
  }[];
}

// Row filters and column lists are there from Postgres 15 on, schemas too: read through JSON for one statement.
const PUBLICATIONS = `
  SELECT p.oid::int8::float8 AS oid, p.pubname::text AS name, p.puballtables AS all_tables, p.pubviaroot AS via_root,
         pg_catalog.pg_has_role(p.pubowner, 'USAGE') AS owned,
         concat(CASE WHEN p.pubinsert THEN 'i' END, CASE WHEN p.pubupdate THEN 'u' END,
                CASE WHEN p.pubdelete THEN 'd' END, CASE WHEN p.pubtruncate THEN 't' END) AS operations,
         coalesce((SELECT jsonb_agg(jsonb_build_object(
                     'table', r.prrelid::int8, 'membership', r.oid::int8,
                     'row_filter', to_jsonb(r) ->> 'prqual', 'columns', to_jsonb(r) -> 'prattrs'))
            FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid), '[]') AS members
    FROM pg_catalog.pg_publication p
   WHERE p.pubname = ANY($1)`;

const SCHEMA_MEMBERS = `
  SELECT p.pubname::text AS publication, c.oid::int8::float8 AS "table", n.oid::int8::float8 AS membership
    FROM pg_catalog.pg_publication_namespace n
    JOIN pg_catalog.pg_publication p ON p.oid = n.pnpubid
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.pnnspid AND c.relkind IN ('r', 'p')
   WHERE p.pubname = ANY($1)`;

export async function readPublications(
  sql: SqlQueries,
  names: readonly string[],
  serverVersion: number,
  signal: AbortSignal,
): Promise<readonly PublicationFacts[]> {
  const rows = await sql.query<PublicationRow & Record<string, unknown>>(
    'reading publications',
    PUBLICATIONS,
    [names],
    signal,
  );
  const bySchema =
    serverVersion < 15
      ? []
      : await sql.query<{ publication: string; table: number; membership: number }>(
          'reading the schemas of publications',
          SCHEMA_MEMBERS,
          [names],
          signal,
        );
  return rows.map((row) => {
    const members = new Map<number, PublicationMember>();
    for (const { publication, table, membership } of bySchema) {
      if (publication === row.name) members.set(table, { membership, rowFilter: null, columns: null, bySchema: true });
    }
    for (const { table, membership, row_filter, columns } of row.members) {
      members.set(table, { membership, rowFilter: row_filter, columns: parseColumns(columns), bySchema: false });
    }
    return {
      name: row.name,
      oid: row.oid,
      allTables: row.all_tables,
      operations: row.operations,
      viaRoot: row.via_root,
      owned: row.owned,
      members,
    };
  });
}

/** `prattrs` is an int2vector, whose JSON form is text such as `1 2`. */
function parseColumns(columns: unknown): readonly number[] | null {
  if (columns === null || columns === undefined) return null;
  return Array.isArray(columns) ? columns.map(Number) : String(columns).split(' ').map(Number);
}
