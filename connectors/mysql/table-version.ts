import type { ChangeBatch, RowImage } from '../../src/core/change-batch.ts';
import {
  CELL_ABSENT,
  CELL_NULL,
  CELL_UNAVAILABLE,
  type Column,
  type RowCells,
  type TableId,
  type TableVersion,
} from '../../src/core/table.ts';
import { type MySqlChangeBatch, NO_IMAGE } from './my-change-batch.ts';
import type { MySqlType } from './mysql-type.ts';
import { countPresent, isSet, type RowLayout } from './protocol/row-layout.ts';

/** A version that knows the server's types of its columns, in their order. */
export interface TypedTableVersion extends TableVersion {
  readonly types: readonly MySqlType[];
}

export interface TableVersionParts extends Omit<TypedTableVersion, 'locate'> {
  /** Index in `columns` of each column of the table map, -1 where it is left out. */
  readonly positions: Int32Array;
  readonly rows: RowLayout;
}

/** A table as one table map and the facts resolved for it describe it. Row images were checked when they were decoded. */
export class MySqlTableVersion implements TypedTableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[] | null;
  readonly types: readonly MySqlType[];
  readonly #positions: Int32Array;
  readonly #widths: Int32Array;

  constructor(parts: TableVersionParts) {
    this.id = parts.id;
    this.fingerprint = parts.fingerprint;
    this.columns = parts.columns;
    this.key = parts.key;
    this.types = parts.types;
    this.#positions = parts.positions;
    this.#widths = parts.rows.widths;
  }

  /**
   * What an image leaves out (binlog_row_image MINIMAL or NOBLOB) is unchanged: the new image of an update has it from the
   * old one where that has it; else it is unavailable.
   */
  locate(batch: ChangeBatch<unknown>, index: number, image: RowImage, cells: RowCells): void {
    const { bytes, beforeStarts, afterStarts, beforeBitmaps, afterBitmaps } = batch as MySqlChangeBatch;
    const before = beforeStarts[index] as number;
    const after = afterStarts[index] as number;
    const columns = this.columns.length;
    const start = image === 'before' ? before : after;
    if (start === NO_IMAGE) {
      cells.starts.fill(CELL_ABSENT, 0, columns);
      return;
    }
    const bitmap = (image === 'before' ? beforeBitmaps[index] : afterBitmaps[index]) as number;
    const isWhole = this.#walk(bytes, start, bitmap, cells, false);
    if (isWhole) return;
    if (image === 'after' && before !== NO_IMAGE) {
      this.#walk(bytes, before, beforeBitmaps[index] as number, cells, true);
    }
  }

  /**
   * Steps through one image. With `onlyMissing` only cells that are unavailable so far are filled.
   * @returns whether the image had every column.
   */
  #walk(bytes: Buffer, start: number, bitmap: number, cells: RowCells, onlyMissing: boolean): boolean {
    const positions = this.#positions;
    const widths = this.#widths;
    const { starts, ends } = cells;
    const count = widths.length;
    const present = countPresent(bytes, bitmap, count);
    let at = start + ((present + 7) >> 3);
    let bit = 0;
    for (let column = 0; column < count; column++) {
      const position = positions[column] as number;
      if (present !== count && !isSet(bytes, bitmap, column)) {
        if (position >= 0 && !onlyMissing) starts[position] = CELL_UNAVAILABLE;
        continue;
      }
      const isNull = ((bytes[start + (bit >> 3)] as number) >> (bit & 7)) & 1;
      bit += 1;
      let cell = CELL_NULL;
      let end = CELL_NULL;
      if (isNull === 0) {
        const width = widths[column] as number;
        cell = at;
        if (width >= 0) end = at + width;
        else {
          cell = at - width;
          end = cell + lengthAt(bytes, at, width);
        }
        at = end;
      }
      if (position < 0 || (onlyMissing && starts[position] !== CELL_UNAVAILABLE)) continue;
      starts[position] = cell;
      ends[position] = end;
    }
    return present === count;
  }
}

function lengthAt(bytes: Buffer, at: number, width: number): number {
  let length = bytes[at] as number;
  if (width <= -2) length |= (bytes[at + 1] as number) << 8;
  if (width <= -3) length |= (bytes[at + 2] as number) << 16;
  if (width === -4) length = (length | ((bytes[at + 3] as number) << 24)) >>> 0;
  return length;
}
