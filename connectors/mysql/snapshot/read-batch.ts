import { type ChangeDetail, ChangeKind } from '../../../src/core/change-batch.ts';
import { DecodedBatch, FIRST_CAPACITY, grown } from '../../../src/core/decoded-batch.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { MySqlPosition } from '../positions.ts';

/** Where and when rows were read, for their source blocks. */
export interface ReadPlace {
  readonly file: string;
  readonly position: number;
  readonly timeUs: number;
}

/** Before it is known. */
export const NOWHERE: ReadPlace = { file: '', position: 0, timeUs: 0 };

/** Rows that were read from their table: where the binary row of each lies. */
export class MySqlReadBatch extends DecodedBatch<MySqlPosition, null> {
  place: ReadPlace = NOWHERE;
  rowStarts = new Int32Array(FIRST_CAPACITY);
  rowEnds = new Int32Array(FIRST_CAPACITY);

  addRow(version: TableVersion, start: number, end: number): void {
    const nothing: ChangeDetail<MySqlPosition> | null = null;
    const index = this.append(ChangeKind.read, version, nothing, null);
    this.rowStarts[index] = start;
    this.rowEnds[index] = end;
  }

  protected override growColumns(capacity: number): void {
    this.rowStarts = grown(new Int32Array(capacity), this.rowStarts);
    this.rowEnds = grown(new Int32Array(capacity), this.rowEnds);
  }
}
