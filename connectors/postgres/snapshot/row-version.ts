import type { ChangeBatch, RowImage } from '../../../src/core/change-batch.ts';
import { CELL_ABSENT, type Column, type RowCells, type TableId, type TableVersion } from '../../../src/core/table.ts';
import type { RowBatch } from './row-batch.ts';

/** A version of a table for rows that were read from it: what the stream makes of the same catalog, located otherwise. */
export class RowTableVersion implements TableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[] | null;

  constructor({ id, fingerprint, columns, key }: Omit<TableVersion, 'locate'>) {
    this.id = id;
    this.fingerprint = fingerprint;
    this.columns = columns;
    this.key = key;
  }

  locate(batch: ChangeBatch<unknown>, index: number, image: RowImage, cells: RowCells): void {
    const { starts, ends, width } = batch as RowBatch;
    if (image === 'before') {
      cells.starts.fill(CELL_ABSENT, 0, width);
      return;
    }
    const from = index * width;
    for (let column = 0; column < width; column++) {
      cells.starts[column] = starts[from + column]!;
      cells.ends[column] = ends[from + column]!;
    }
  }
}
