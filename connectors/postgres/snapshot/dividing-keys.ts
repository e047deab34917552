import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { PostgresConfig } from '../config.ts';
import type { SqlQueries } from '../connection.ts';
import { quoteIdentifier } from '../protocol/start-replication.ts';
import type { ServerFacts } from '../server-facts.ts';
import { readViewTables } from './read-view-tables.ts';
import type { KnownVersions } from './view-table.ts';

/** Fewer rows in a range are not worth a range of their own. */
const MINIMUM_RANGE_ROWS = 10_000;
/** Rows that are looked at for each range. */
const SAMPLE_ROWS = 500;

interface KeyRow {
  readonly key: RowKey;
}

/**
 * Keys that divide a table into ranges of about the same size, by a sample of its pages: for keys of any type, and without
 * reading the table. The server orders them as it orders the chunks.
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
  if (ranges < 2 || table.estimatedRows === null) return [];
  const names = [{ schema: table.id.schema ?? '', name: table.id.name }];
  const found = await readViewTables(sql, names, config, server, versions, signal);
  const read = found.get(qualifiedName(table.id));
  if (read === undefined || read.key === null) return [];
  const percent = Math.min(100, (100 * SAMPLE_ROWS * ranges) / table.estimatedRows);
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
