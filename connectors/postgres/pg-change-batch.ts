import type { ChangeBatch, ChangeDetail, ChangeKind } from '../../src/core/change-batch.ts';
import type { ArenaPool, MessageArena } from '../../src/core/message-arena.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { PgPosition } from './positions.ts';
import type { TransactionContext } from './transaction-context.ts';

/** A tuple that is not there. */
export const NO_TUPLE = -1;

/** What the old tuple of a row is: nothing, the replica identity's columns only, or the whole row. */
export const OldImage = { none: 0, key: 1, full: 2 } as const;

/**
 * Changes decoded from one arena. Beside the contract's columns it has what the source block and the tables need:
 * where the tuples of a row start, its LSN and its transaction. Recycled with its arrays.
 */
export class PgChangeBatch implements ChangeBatch<PgPosition> {
  readonly #pool: ArenaPool;
  readonly #recycle: (batch: PgChangeBatch) => void;
  #arena: MessageArena | null = null;
  bytes: Buffer = Buffer.alloc(0);
  receivedAtMs = 0;
  count = 0;
  kinds = new Uint8Array(512);
  hasBefore = new Uint8Array(512);
  /** One of `OldImage`. */
  oldImages = new Uint8Array(512);
  oldStarts = new Int32Array(512);
  newStarts = new Int32Array(512);
  lsnHigh = new Uint32Array(512);
  lsnLow = new Uint32Array(512);
  readonly versions: (TableVersion | null)[] = [];
  readonly details: (ChangeDetail<PgPosition> | null)[] = [];
  readonly transactions: (TransactionContext | null)[] = [];

  constructor(pool: ArenaPool, recycle: (batch: PgChangeBatch) => void) {
    this.#pool = pool;
    this.#recycle = recycle;
  }

  open(arena: MessageArena): void {
    arena.holders += 1;
    this.#arena = arena;
    this.bytes = arena.bytes;
    this.receivedAtMs = arena.receivedAtMs;
    this.count = 0;
  }

  /** Appends a change; the caller fills in what a row has more. @returns its index. */
  add(
    kind: ChangeKind,
    version: TableVersion | null,
    detail: ChangeDetail<PgPosition> | null,
    transaction: TransactionContext | null,
    lsnHigh: number,
    lsnLow: number,
  ): number {
    const index = this.count;
    if (index === this.kinds.length) this.#grow();
    this.kinds[index] = kind;
    this.hasBefore[index] = 0;
    this.oldImages[index] = OldImage.none;
    this.oldStarts[index] = NO_TUPLE;
    this.newStarts[index] = NO_TUPLE;
    this.lsnHigh[index] = lsnHigh;
    this.lsnLow[index] = lsnLow;
    // Beyond `count` the last use of the batch shows through: emptying the arrays would make them grow again each time.
    this.versions[index] = version;
    this.details[index] = detail;
    this.transactions[index] = transaction;
    this.count = index + 1;
    return index;
  }

  release(): void {
    const arena = this.#arena;
    if (arena === null) return;
    this.#arena = null;
    this.#pool.letGo(arena);
    this.#recycle(this);
  }

  #grow(): void {
    const capacity = this.kinds.length * 2;
    this.kinds = copy(new Uint8Array(capacity), this.kinds);
    this.hasBefore = copy(new Uint8Array(capacity), this.hasBefore);
    this.oldImages = copy(new Uint8Array(capacity), this.oldImages);
    this.oldStarts = copy(new Int32Array(capacity), this.oldStarts);
    this.newStarts = copy(new Int32Array(capacity), this.newStarts);
    this.lsnHigh = copy(new Uint32Array(capacity), this.lsnHigh);
    this.lsnLow = copy(new Uint32Array(capacity), this.lsnLow);
  }
}

function copy<A extends Uint8Array | Int32Array | Uint32Array>(larger: A, smaller: A): A {
  larger.set(smaller);
  return larger;
}
