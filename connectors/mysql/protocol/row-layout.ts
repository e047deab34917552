import type { TableMap } from './table-map.ts';

/** How to step from column to column of a row image (Rows_event, "Row image" in the MySQL replication protocol). */
export interface RowLayout {
  readonly columnCount: number;
  /**
   * By column: bytes of the value (0 or more), or -1, -2, -3, -4 for a value behind a length of that many bytes,
   * little-endian.
   */
  readonly widths: Int32Array;
}

/** Throws ProtocolError for a column whose type is not known: nothing behind it could be found. */
export function rowLayoutOf(_map: TableMap): RowLayout {
  throw new Error('not built yet');
}
