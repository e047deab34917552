import type { ChangeBatch, RowImage } from '../../../src/core/change-batch.ts';
import { CELL_ABSENT, CELL_NULL, type Column, type RowCells, type TableId } from '../../../src/core/table.ts';
import type { MySqlType } from '../mysql-type.ts';
import { locateBinaryRow } from '../protocol/binary-row.ts';
import type { TypedTableVersion } from '../table-version.ts';
import type { MySqlReadBatch } from './read-batch.ts';

export interface ReadTableVersionParts extends Omit<TypedTableVersion, 'locate'> {
  /** Of each column's value in a row, see `binaryWidths`. */
  readonly widths: Uint8Array;
}

/** A table as it is read: the layout that the stream has too, with codecs for the binary form of a result. */
export class ReadTableVersion implements TypedTableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[] | null;
  readonly types: readonly MySqlType[];
  readonly widths: Uint8Array;

  constructor(parts: ReadTableVersionParts) {
    this.id = parts.id;
    this.fingerprint = parts.fingerprint;
    this.columns = parts.columns;
    this.key = parts.key;
    this.types = parts.types;
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
