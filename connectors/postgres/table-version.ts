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
import { NO_TUPLE, OldImage, type PgChangeBatch } from './pg-change-batch.ts';
import { CellTag, readInt32 } from './protocol/tuple.ts';

export interface TableVersionParts extends Omit<TableVersion, 'locate'> {
  /** Index in `columns` of each column of the relation, -1 where it is left out. */
  readonly positions: Int32Array;
  /** 1 for each column of the relation that is part of the replica identity. */
  readonly identity: Uint8Array;
}

/** A table as one Relation message and the facts resolved for it describe it. Tuples were checked when they were decoded. */
export class PgTableVersion implements TableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  readonly key: readonly number[] | null;
  readonly #positions: Int32Array;
  readonly #identity: Uint8Array;

  constructor(parts: TableVersionParts) {
    this.id = parts.id;
    this.fingerprint = parts.fingerprint;
    this.columns = parts.columns;
    this.key = parts.key;
    this.#positions = parts.positions;
    this.#identity = parts.identity;
  }

  locate(batch: ChangeBatch<unknown>, index: number, image: RowImage, cells: RowCells): void {
    const { bytes, oldStarts, newStarts, oldImages } = batch as PgChangeBatch;
    const oldStart = oldStarts[index] as number;
    const oldImage = oldImages[index] as number;
    if (image === 'before') {
      this.#walk(bytes, oldStart, oldImage === OldImage.key, cells);
      return;
    }
    const unavailable = this.#walk(bytes, newStarts[index] as number, false, cells);
    // Under REPLICA IDENTITY FULL the old row has the value that the new one did not repeat.
    if (unavailable && oldImage === OldImage.full) this.#fillUnavailable(bytes, oldStart, cells);
  }

  /** @returns whether a column was unchanged and not logged. */
  #walk(bytes: Buffer, start: number, keyOnly: boolean, cells: RowCells): boolean {
    const positions = this.#positions;
    const { starts, ends } = cells;
    if (start === NO_TUPLE) {
      starts.fill(CELL_ABSENT, 0, this.columns.length);
      return false;
    }
    let unavailable = false;
    let at = start + 2;
    for (let column = 0; column < positions.length; column++) {
      const position = positions[column] as number;
      const tag = bytes[at] as number;
      at += 1;
      let cell = CELL_NULL;
      let end = CELL_NULL;
      if (tag === CellTag.text) {
        cell = at + 4;
        end = cell + readInt32(bytes, at);
        at = end;
      } else if (tag === CellTag.unchanged) {
        cell = CELL_UNAVAILABLE;
        unavailable = true;
      }
      if (position < 0) continue;
      // A key image has NULL for every other column, whatever was stored.
      starts[position] = keyOnly && this.#identity[column] === 0 ? CELL_ABSENT : cell;
      ends[position] = end;
    }
    return unavailable;
  }

  #fillUnavailable(bytes: Buffer, oldStart: number, cells: RowCells): void {
    const positions = this.#positions;
    let at = oldStart + 2;
    for (let column = 0; column < positions.length; column++) {
      const position = positions[column] as number;
      const tag = bytes[at] as number;
      at += 1;
      if (tag !== CellTag.text) continue;
      const end = at + 4 + readInt32(bytes, at);
      if (position >= 0 && cells.starts[position] === CELL_UNAVAILABLE) {
        cells.starts[position] = at + 4;
        cells.ends[position] = end;
      }
      at = end;
    }
  }
}
