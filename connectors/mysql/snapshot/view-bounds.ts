import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type { ViewMark } from '../../../src/core/snapshot.ts';
import type { GtidProgress } from '../gtid-progress.ts';
import type { MySqlChangeBatch } from '../my-change-batch.ts';
import type { MySqlPosition } from '../positions.ts';
import { GtidSet } from '../protocol/gtid-set.ts';
import type { TransactionContext } from '../transaction-context.ts';

/** What of the log is visible in a view. */
export interface ViewBounds extends ViewMark<MySqlPosition> {
  /** For `recallBounds`. */
  toString(): string;
}

/** What `toString` of bounds was made of. @throws FatalError for other text */
export function recallBounds(text: string): ViewBounds {
  const gtids = /^gtids (\S*) (\S*)$/.exec(text);
  if (gtids !== null) return new GtidBounds(GtidSet.parse(gtids[1]!), GtidSet.parse(gtids[2]!));
  const places = /^places (\d{1,9}) (.*):(\d{1,16}) (.*):(\d{1,16})$/.exec(text);
  if (places !== null) {
    const [, epoch, firstFile, first, lastFile, last] = places;
    const certain = { file: firstFile!, position: Number(first) };
    return new PlaceBounds(Number(epoch), certain, { file: lastFile!, position: Number(last) });
  }
  throw new FatalError(`"${text}" is not the place of a view of MySQL or MariaDB.`, {
    code: 'MYSQL_VIEW_MARK_MALFORMED',
    remedy: 'What is stored of the snapshot is damaged or of another kind of server: resync the source.',
  });
}

/**
 * By GTID: a server adds one to those it executed when the transaction is visible. `certain` was read before the view was
 * opened, `possible` after.
 */
export class GtidBounds implements ViewBounds {
  readonly #certain: GtidSet;
  /** What the stream has to emit still: positions that are asked for only grow. */
  #missing: GtidSet;
  readonly #possible: GtidSet;
  #asked: GtidProgress | null = null;

  constructor(certain: GtidSet, possible: GtidSet) {
    this.#certain = certain;
    this.#missing = possible;
    this.#possible = possible;
  }

  toString(): string {
    return `gtids ${this.#certain} ${this.#possible}`;
  }

  contains(batch: ChangeBatch<MySqlPosition>, index: number): boolean {
    const { gtid } = transactionOf(batch, index);
    return gtid !== null && this.#certain.has(gtid.source, gtid.number);
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

  toString(): string {
    return `places ${this.#epoch} ${spotText(this.#certain)} ${spotText(this.#possible)}`;
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

function spotText({ file, position }: LogSpot): string {
  return `${file}:${position}`;
}

/** -1 of a file that the stream was not told yet. */
function fileNumber(file: string): number {
  return file === '' ? -1 : Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}

function transactionOf(batch: ChangeBatch<MySqlPosition>, index: number): TransactionContext {
  return (batch as MySqlChangeBatch).transactions[index] as TransactionContext;
}
