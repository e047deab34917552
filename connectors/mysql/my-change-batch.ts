import type { ChangeDetail, ChangeKind } from '../../src/core/change-batch.ts';
import { DecodedBatch, FIRST_CAPACITY, grown } from '../../src/core/decoded-batch.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { MySqlPosition } from './positions.ts';
import type { TransactionContext } from './transaction-context.ts';

/** An image that is not there. */
export const NO_IMAGE = -1;

/** Beside what every batch has: where the images of a row and the bitmaps of their columns start, and its event. */
export class MySqlChangeBatch extends DecodedBatch<MySqlPosition, TransactionContext> {
  beforeStarts = new Int32Array(FIRST_CAPACITY);
  afterStarts = new Int32Array(FIRST_CAPACITY);
  /** Where the columns-present bitmap of the image starts; the event's, so that its rows share it. */
  beforeBitmaps = new Int32Array(FIRST_CAPACITY);
  afterBitmaps = new Int32Array(FIRST_CAPACITY);
  /** Start of the event in its file; doubles, because files may exceed 4 GiB. */
  eventPositions = new Float64Array(FIRST_CAPACITY);
  /** Place of the row in its event. */
  rows = new Int32Array(FIRST_CAPACITY);
  /** The statement that made the row, where it is logged and asked for. */
  readonly queries: (string | null)[] = [];

  /** Appends a change; the caller fills in what a row has more. @returns its index. */
  add(
    kind: ChangeKind,
    version: TableVersion | null,
    detail: ChangeDetail<MySqlPosition> | null,
    transaction: TransactionContext | null,
    eventPosition: number,
  ): number {
    const index = this.append(kind, version, detail, transaction);
    this.beforeStarts[index] = NO_IMAGE;
    this.afterStarts[index] = NO_IMAGE;
    this.eventPositions[index] = eventPosition;
    this.rows[index] = 0;
    this.queries[index] = null;
    return index;
  }

  protected override growColumns(capacity: number): void {
    this.beforeStarts = grown(new Int32Array(capacity), this.beforeStarts);
    this.afterStarts = grown(new Int32Array(capacity), this.afterStarts);
    this.beforeBitmaps = grown(new Int32Array(capacity), this.beforeBitmaps);
    this.afterBitmaps = grown(new Int32Array(capacity), this.afterBitmaps);
    this.eventPositions = grown(new Float64Array(capacity), this.eventPositions);
    this.rows = grown(new Int32Array(capacity), this.rows);
  }
}
