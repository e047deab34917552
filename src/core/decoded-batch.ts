import type { ChangeDetail, ChangeKind } from './change-batch.ts';
import type { RecycledBatch } from './decoded-stream.ts';
import type { ArenaPool, MessageArena } from './message-arena.ts';
import type { TableVersion } from './table.ts';

/** Changes that a batch has room for at first. */
export const FIRST_CAPACITY = 512;

/**
 * Changes decoded from one arena: the columns of the contract, and the transaction `T` of each. A connector adds columns of
 * its own for what its tables and its source block need. Recycled with its arrays.
 */
export abstract class DecodedBatch<P, T> implements RecycledBatch<P> {
  readonly #pool: ArenaPool;
  readonly #recycle: () => void;
  #arena: MessageArena | null = null;
  bytes: Buffer = Buffer.alloc(0);
  receivedAtMs = 0;
  count = 0;
  kinds = new Uint8Array(FIRST_CAPACITY);
  hasBefore = new Uint8Array(FIRST_CAPACITY);
  readonly versions: (TableVersion | null)[] = [];
  readonly details: (ChangeDetail<P> | null)[] = [];
  readonly transactions: (T | null)[] = [];

  constructor(pool: ArenaPool, recycle: () => void) {
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

  release(): void {
    const arena = this.#arena;
    if (arena === null) return;
    this.#arena = null;
    // What the arrays still hold would outlive the batch. Shorter arrays would have to grow again.
    this.details.fill(null, 0, this.count);
    this.transactions.fill(null, 0, this.count);
    this.#pool.letGo(arena);
    this.#recycle();
  }

  /** Appends what every change has. @returns its index. */
  protected append(
    kind: ChangeKind,
    version: TableVersion | null,
    detail: ChangeDetail<P> | null,
    transaction: T | null,
  ): number {
    const index = this.count;
    if (index === this.kinds.length) this.#grow();
    this.kinds[index] = kind;
    this.hasBefore[index] = 0;
    this.versions[index] = version;
    this.details[index] = detail;
    this.transactions[index] = transaction;
    this.count = index + 1;
    return index;
  }

  /** Gives the connector's own columns room for `capacity` changes, keeping what they hold. */
  protected abstract growColumns(capacity: number): void;

  #grow(): void {
    const capacity = this.kinds.length * 2;
    this.kinds = grown(new Uint8Array(capacity), this.kinds);
    this.hasBefore = grown(new Uint8Array(capacity), this.hasBefore);
    this.growColumns(capacity);
  }
}

/** @returns `larger`, which begins with what `smaller` holds. */
export function grown<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(larger: A, smaller: A): A {
  larger.set(smaller);
  return larger;
}
