import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { GtidProgress } from '../gtid-progress.ts';
import type { MySqlChangeBatch } from '../my-change-batch.ts';
import type { MySqlPosition } from '../positions.ts';
import type { GtidSet } from '../protocol/gtid-set.ts';
import type { TransactionContext } from '../transaction-context.ts';

/** What of the log is visible in a view. */
export interface ViewBounds {
  contains(batch: ChangeBatch<MySqlPosition>, index: number): boolean;
  isPassed(position: MySqlPosition): boolean;
}

/**
 * By GTID: a server adds one to those it executed when the transaction is visible. `certain` was read before the view was
 * opened, `possible` after.
 */
export class GtidBounds implements ViewBounds {
  readonly #certain: GtidSet;
  /** What the stream has to emit still: positions that are asked for only grow. */
  #missing: GtidSet;
  #asked: GtidProgress | null = null;

  constructor(certain: GtidSet, possible: GtidSet) {
    this.#certain = certain;
    this.#missing = possible;
  }

  contains(batch: ChangeBatch<MySqlPosition>, index: number): boolean {
    const { gtid } = transactionOf(batch, index);
    if (gtid === null) return false;
    const colon = gtid.lastIndexOf(':');
    return this.#certain.has(gtid.slice(0, colon), Number(gtid.slice(colon + 1)));
  }

  isPassed({ gtids }: MySqlPosition): boolean {
    if (gtids !== this.#asked) {
      this.#asked = gtids;
      const executed = gtids?.asSet() ?? null;
      if (executed !== null) this.#missing = this.#missing.subtract(executed);
    }
    return this.#missing.isEmpty;
  }
}

/** A place in the log, as numbers that compare. */
export interface LogSpot {
  readonly file: string;
  readonly position: number;
}

/** By the place in the log of one server: everything that begins before `certain`, nothing behind `possible`. */
export class PlaceBounds implements ViewBounds {
  readonly #epoch: number;
  readonly #certain: LogSpot;
  readonly #possible: LogSpot;

  constructor(epoch: number, certain: LogSpot, possible: LogSpot) {
    this.#epoch = epoch;
    this.#certain = certain;
    this.#possible = possible;
  }

  contains(batch: ChangeBatch<MySqlPosition>, index: number): boolean {
    const { file } = transactionOf(batch, index);
    const position = (batch as MySqlChangeBatch).eventPositions[index] as number;
    // A transaction lies on one side of the place as a whole: the server gives only places between two.
    return compareSpots({ file, position }, this.#certain) < 0;
  }

  isPassed({ file, pos, epoch }: MySqlPosition): boolean {
    if (epoch !== this.#epoch) return false;
    return compareSpots({ file, position: pos }, this.#possible) >= 0;
  }
}

export function compareSpots(a: LogSpot, b: LogSpot): number {
  return a.file === b.file ? a.position - b.position : fileNumber(a.file) - fileNumber(b.file);
}

/** -1 of a file that the stream was not told yet. */
function fileNumber(file: string): number {
  return file === '' ? -1 : Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}

function transactionOf(batch: ChangeBatch<MySqlPosition>, index: number): TransactionContext {
  return (batch as MySqlChangeBatch).transactions[index] as TransactionContext;
}
