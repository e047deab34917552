import type { LoadedTable } from '../support/loaded-table.ts';
import { childReader } from './child-reader.ts';
import type { Figure } from './report.ts';

/** Lets `mysql2` stream the table into JavaScript arrays, in a process of its own, and does nothing with them. */
export function selectOut(
  table: LoadedTable,
  rows: number,
): Promise<Pick<Figure, 'seconds' | 'cpuMicrosPerRow' | 'peakRssMiB'>> {
  return childReader('mysql-select-reader.ts', [table.url, table.schema, String(rows)], rows);
}
