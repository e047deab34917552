import type { ChangeDetail, ChangeKind } from '../../src/core/change-batch.ts';
import { DecodedBatch, FIRST_CAPACITY, grown } from '../../src/core/decoded-batch.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { PgPosition } from './positions.ts';
import type { TransactionContext } from './transaction-context.ts';

/** A tuple that is not there. */
export const NO_TUPLE = -1;

/** What the old tuple of a row is: nothing, the replica identity's columns only, or the whole row. */
export const OldImage = { none: 0, key: 1, full: 2 } as const;

/** Beside what every batch has: where the tuples of a row start, and its LSN. */
export class PgChangeBatch extends DecodedBatch<PgPosition, TransactionContext> {
  /** One of `OldImage`. */
  oldImages = new Uint8Array(FIRST_CAPACITY);
  oldStarts = new Int32Array(FIRST_CAPACITY);
  newStarts = new Int32Array(FIRST_CAPACITY);
  lsnHigh = new Uint32Array(FIRST_CAPACITY);
  lsnLow = new Uint32Array(FIRST_CAPACITY);

  /** Appends a change; the caller fills in what a row has more. @returns its index. */
  add(
    kind: ChangeKind,
    version: TableVersion | null,
    detail: ChangeDetail<PgPosition> | null,
    transaction: TransactionContext | null,
    lsnHigh: number,
    lsnLow: number,
  ): number {
    const index = this.append(kind, version, detail, transaction);
    this.oldImages[index] = OldImage.none;
    this.oldStarts[index] = NO_TUPLE;
    this.newStarts[index] = NO_TUPLE;
    this.lsnHigh[index] = lsnHigh;
    this.lsnLow[index] = lsnLow;
    return index;
  }

  protected override growColumns(capacity: number): void {
    this.oldImages = grown(new Uint8Array(capacity), this.oldImages);
    this.oldStarts = grown(new Int32Array(capacity), this.oldStarts);
    this.newStarts = grown(new Int32Array(capacity), this.newStarts);
    this.lsnHigh = grown(new Uint32Array(capacity), this.lsnHigh);
    this.lsnLow = grown(new Uint32Array(capacity), this.lsnLow);
  }
}
