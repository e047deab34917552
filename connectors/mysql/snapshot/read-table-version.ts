import type { ChangeBatch, RowImage } from '../../../src/core/change-batch.ts';
import {
  CELL_ABSENT,
  CELL_NULL,
  type Column,
  type RowCells,
  type TableId,
  type TableVersion,
} from '../../../src/core/table.ts';
import { locateBinaryRow } from '../protocol/binary-row.ts';
import type { MySqlReadBatch } from './read-batch.ts';

export interface ReadTableVersionParts extends Omit<TableVersion, 'locate'> {
  /** Of each column's value in a row, see `binaryWidths`. */
  readonly widths: Uint8Array;
}

/** A table as it is read: the layout that the stream has too, with codecs for the binary form of a result. */
export class ReadTableVersion implements TableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[] | null;
  readonly widths: Uint8Array;

  constructor(parts: ReadTableVersionParts) {
    this.id = parts.id;
    this.fingerprint = parts.fingerprint;
    this.columns = parts.columns;
    this.key = parts.key;
    this.widths = parts.widths;
  }

  locate(batch: ChangeBatch<unknown>, index: number, image: RowImage, cells: RowCells): void {
    const { bytes, rowStarts, rowEnds } = batch as MySqlReadBatch;
    if (image === 'before') {
      cells.starts.fill(CELL_ABSENT, 0, this.columns.length);
      return;
    }
    const start = rowStarts[index] as number;
    const end = rowEnds[index] as number;
    locateBinaryRow(bytes, start, end, this.widths, cells.starts, cells.ends, CELL_NULL);
  }
}
