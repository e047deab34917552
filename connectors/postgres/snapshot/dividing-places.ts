import type { RowKey } from '../../../src/core/snapshot.ts';
import type { SqlQueries } from '../connection.ts';
import { quoteLiteral } from '../protocol/start-replication.ts';
import type { ViewTable } from './view-table.ts';

/** Fewer pages in a range are not worth a reader of its own. */
const MINIMUM_RANGE_PAGES = 512;

// Of a plain table: pages of a partitioned one are those of many heaps. Other access methods may number rows as they like.
const PAGES = `
  SELECT (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS pages
    FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
   WHERE c.oid = $1 AND c.relkind = 'r' AND a.amname = 'heap'`;

/**
 * Places (ctid) that divide a table without a usable key into ranges of as many pages each. A statement on such a range reads
 * its pages only (a TID range scan, from Postgres 14 on).
 */
export async function dividingPlaces(
  sql: SqlQueries,
  { oid }: ViewTable,
  count: number,
  signal: AbortSignal,
): Promise<readonly RowKey[]> {
  const [size] = await sql.query<{ pages: number }>('reading the size of a table', PAGES, [oid], signal);
  const pages = size?.pages ?? 0;
  const ranges = Math.min(count, Math.floor(pages / MINIMUM_RANGE_PAGES));
  // Rows of a page are numbered from 1 on.
  return Array.from({ length: Math.max(0, ranges - 1) }, (_, index) => [
    `(${Math.floor((pages * (index + 1)) / ranges)},0)`,
  ]);
}

export function placeLiteral([place = '']: RowKey): string {
  return `${quoteLiteral(place)}::pg_catalog.tid`;
}
