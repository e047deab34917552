import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { PostgresConfig } from '../config.ts';
import type { SqlQueries } from '../connection.ts';
import { quoteIdentifier } from '../protocol/start-replication.ts';
import type { ServerFacts } from '../server-facts.ts';
import { dividingPlaces } from './dividing-places.ts';
import { readViewTables } from './read-view-tables.ts';
import type { KnownVersions } from './view-table.ts';

/** Fewer rows in a range are not worth a range of their own. */
const MINIMUM_RANGE_ROWS = 10_000;
/** Pages that are looked at for each range: the rows of a page often lie together in the key as well, and count as one. */
const SAMPLE_PAGES = 200;

// Of a partitioned table: those of its partitions.
const PAGES = `
  WITH RECURSIVE part(relation) AS (
    SELECT $1::oid UNION ALL SELECT i.inhrelid FROM part p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.relation
  )
  SELECT sum(c.relpages)::float8 AS pages
    FROM part p JOIN pg_catalog.pg_class c ON c.oid = p.relation AND c.relkind = 'r'`;

interface KeyRow {
  readonly key: RowKey;
}

/**
 * Keys that divide a table into ranges of about the same size, by a sample of its pages: for keys of any type, and without
 * reading the table. The server orders them as it orders the chunks. Of a table without a key: places.
 */
export async function dividingKeys(
  sql: SqlQueries,
  config: PostgresConfig,
  server: ServerFacts,
  versions: KnownVersions,
  table: SnapshotTable,
  count: number,
  signal: AbortSignal,
): Promise<readonly RowKey[]> {
  const ranges = Math.min(count, Math.floor((table.estimatedRows ?? 0) / MINIMUM_RANGE_ROWS));
  if (table.key !== null && ranges < 2) return [];
  const names = [{ schema: table.id.schema ?? '', name: table.id.name }];
  const found = await readViewTables(sql, names, config, server, versions, signal);
  const read = found.get(qualifiedName(table.id));
  if (read === undefined) return [];
  if (read.key === null) return table.key === null ? dividingPlaces(sql, read, count, signal) : [];
  if (table.key === null) return [];
  const [size] = await sql.query<{ pages: number | null }>('reading the size of a table', PAGES, [read.oid], signal);
  const percent = Math.min(100, (100 * SAMPLE_PAGES * ranges) / Math.max(1, size?.pages ?? 1));
  const texts = read.key.columns.map(({ name }) => `${quoteIdentifier(name)}::text`).join(', ');
  const rows = await sql.query<KeyRow & Record<string, unknown>>(
    'dividing a table',
    `SELECT DISTINCT ON (part) key
       FROM (SELECT ARRAY[${texts}] AS key, place, (place - 1) * ${ranges} / count AS part
               FROM (SELECT ${read.key.columns.map(({ name }) => quoteIdentifier(name)).join(', ')},
                            row_number() OVER (ORDER BY ${read.key.orderBy}) AS place, count(*) OVER () AS count
                       FROM ${read.from} TABLESAMPLE SYSTEM (${percent})) AS sampled) AS divided
      WHERE part > 0
      ORDER BY part, place`,
    [],
    signal,
  );
  return rows.map(({ key }) => key);
}
