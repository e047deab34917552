import type { SnapshotTable } from '../../../src/core/snapshot.ts';
import type { PostgresConfig } from '../config.ts';
import type { SqlQueries } from '../connection.ts';
import { readPublications } from '../publication.ts';
import { publicationNames } from '../publication-setup.ts';
import { readPublishableTables } from '../publishable-tables.ts';
import type { ServerFacts } from '../server-facts.ts';
import { readViewTables } from './read-view-tables.ts';
import { streamedTables } from './streamed-tables.ts';
import type { KnownVersions } from './view-table.ts';

interface SizeRow {
  readonly relation: number;
  readonly rows: number | null;
}

// A partitioned table is counted by its partitions: autovacuum never looks at the table itself.
const SIZES = `
  WITH RECURSIVE part(root, relation) AS (
    SELECT oid, oid FROM unnest($1::oid[]) AS oid
    UNION ALL
    SELECT p.root, i.inhrelid
      FROM part p
      JOIN pg_catalog.pg_class c ON c.oid = p.relation AND c.relkind = 'p'
      JOIN pg_catalog.pg_inherits i ON i.inhparent = p.relation
  )
  SELECT p.root::int8::float8 AS relation, CASE WHEN min(c.reltuples) >= 0 THEN sum(c.reltuples)::float8 END AS rows
    FROM part p
    JOIN pg_catalog.pg_class c ON c.oid = p.relation AND c.relkind = 'r'
   GROUP BY p.root`;

/** The captured tables that the publications cover or will, as the stream names them. */
export async function readSnapshotTables(
  sql: SqlQueries,
  config: PostgresConfig,
  server: ServerFacts,
  versions: KnownVersions,
  signal: AbortSignal,
): Promise<readonly SnapshotTable[]> {
  const { source, slot, publishViaPartitionRoot } = config;
  const publications = await readPublications(sql, publicationNames(config), server.version, signal);
  const main = publications.find(({ name }) => name === slot.publication);
  const streamed = streamedTables({
    source,
    publications,
    tables: await readPublishableTables(sql, null, signal),
    adds: main === undefined || (slot.autocreate === 'filtered' && !server.isStandby),
    viaRoot: main?.viaRoot ?? publishViaPartitionRoot,
  });
  const tables = [...(await readViewTables(sql, streamed, config, server, versions, signal)).values()];
  const sizes = await sql.query<SizeRow & Record<string, unknown>>(
    'reading the sizes of tables',
    SIZES,
    [tables.map(({ oid }) => oid)],
    signal,
  );
  const rows = new Map(sizes.map((row) => [row.relation, row.rows]));
  return tables.map(({ id, oid, key }) => ({
    id,
    key: key?.columns.map(({ name }) => name) ?? null,
    estimatedRows: rows.get(oid) ?? null,
  }));
}
