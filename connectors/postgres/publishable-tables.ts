import { capturesTable, type SourceSettings } from '../../src/core/settings.ts';
import type { SqlQueries } from './connection.ts';

/** A captured table (plain, partitioned or partition) as it can be published. */
export interface PublishableTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** Postgres accepts UPDATE and DELETE of it while they are published. */
  readonly hasIdentity: boolean;
  /** OIDs of the partitioned tables above a partition: publishing one of them publishes it. */
  readonly ancestors: readonly number[];
  /** It has no rows of its own. */
  readonly isPartitioned: boolean;
  /** The role may add it to a publication. */
  readonly owned: boolean;
}

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly has_identity: boolean;
  readonly ancestors: readonly number[];
  readonly is_partitioned: boolean;
  readonly owned: boolean;
}

// A partitioned table has a usable identity when it has a primary key, which later partitions get too, and when every
// partition there is now has one. Nothing here locks a table: pg_partition_tree would wait for an ALTER TABLE of a partition.
const TABLES = `
  WITH identity AS (
    SELECT c.oid, c.relkind,
           CASE c.relreplident
             WHEN 'f' THEN true
             WHEN 'n' THEN false
             WHEN 'i' THEN EXISTS (SELECT FROM pg_catalog.pg_index i
                                    WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid)
             ELSE EXISTS (SELECT FROM pg_catalog.pg_index i
                           WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate AND i.indisvalid)
           END AS usable,
           EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary) AS has_primary_key
      FROM pg_catalog.pg_class c
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
  ), above_unusable AS (
    SELECT a.relid::oid AS oid
      FROM identity leaf JOIN pg_catalog.pg_class c ON c.oid = leaf.oid AND c.relispartition
      CROSS JOIN LATERAL pg_catalog.pg_partition_ancestors(leaf.oid) a
     WHERE leaf.relkind = 'r' AND NOT leaf.usable
  )
  SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
         CASE WHEN c.relkind = 'r' THEN i.usable
              ELSE i.has_primary_key AND i.usable AND NOT EXISTS (SELECT FROM above_unusable u WHERE u.oid = c.oid)
         END AS has_identity,
         c.relkind = 'p' AS is_partitioned, pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
         ARRAY(SELECT a.relid::oid::int8::float8 FROM pg_catalog.pg_partition_ancestors(c.oid) a
                WHERE a.relid <> c.oid) AS ancestors
    FROM pg_catalog.pg_class c
    JOIN identity i ON i.oid = c.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_toast' AND c.oid >= 16384
   ORDER BY n.nspname, c.relname`;

/** The tables that the source's configuration captures (all tables for null), as they are now. */
export async function readPublishableTables(
  sql: SqlQueries,
  source: SourceSettings | null,
  signal: AbortSignal,
): Promise<readonly PublishableTable[]> {
  const rows = await sql.query<TableRow & Record<string, unknown>>('reading the tables', TABLES, [], signal);
  return rows
    .filter((row) => source === null || capturesTable(source, `${row.schema}.${row.name}`))
    .map(({ oid, schema, name, has_identity, ancestors, is_partitioned, owned }) => ({
      oid,
      schema,
      name,
      hasIdentity: has_identity,
      ancestors,
      isPartitioned: is_partitioned,
      owned,
    }));
}
