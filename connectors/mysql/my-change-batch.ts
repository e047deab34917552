import type { ChangeBatch, ChangeDetail, ChangeKind } from '../../src/core/change-batch.ts';
import type { ArenaPool, MessageArena } from '../../src/core/message-arena.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { MySqlPosition } from './positions.ts';
import type { TransactionContext } from './transaction-context.ts';

/** An image that is not there. */
export const NO_IMAGE = -1;

/**
 * Changes decoded from one arena. Beside the contract's columns it has what the source block and the tables need: where
 * the images of a row and the bitmaps of their columns start, its event and its transaction. Recycled with its arrays.
 */
export class MySqlChangeBatch implements ChangeBatch<MySqlPosition> {
  readonly #pool: ArenaPool;
  readonly #recycle: (batch: MySqlChangeBatch) => void;
  #arena: MessageArena | null = null;
  bytes: Buffer = Buffer.alloc(0);
  receivedAtMs = 0;
  count = 0;
  kinds = new Uint8Array(512);
  hasBefore = new Uint8Array(512);
  beforeStarts = new Int32Array(512);
  afterStarts = new Int32Array(512);
  /** Where the columns-present bitmap of the image starts; the event's, so that its rows share it. */
  beforeBitmaps = new Int32Array(512);
  afterBitmaps = new Int32Array(512);
  /** Start of the event in its file; doubles, because files may exceed 4 GiB. */
  eventPositions = new Float64Array(512);
  /** Place of the row in its event. */
  rows = new Int32Array(512);
  readonly versions: (TableVersion | null)[] = [];
  readonly details: (ChangeDetail<MySqlPosition> | null)[] = [];
  readonly transactions: (TransactionContext | null)[] = [];
  /** The statement that made the row, where it is logged and asked for. */
  readonly queries: (string | null)[] = [];

  constructor(pool: ArenaPool, recycle: (batch: MySqlChangeBatch) => void) {
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
    detail: ChangeDetail<MySqlPosition> | null,
    transaction: TransactionContext | null,
    eventPosition: number,
  ): number {
    const index = this.count;
    if (index === this.kinds.length) this.#grow();
    this.kinds[index] = kind;
    this.hasBefore[index] = 0;
    this.beforeStarts[index] = NO_IMAGE;
    this.afterStarts[index] = NO_IMAGE;
    this.eventPositions[index] = eventPosition;
    this.rows[index] = 0;
    // Beyond `count` the last use of the batch shows through: emptying the arrays would make them grow again each time.
    this.versions[index] = version;
    this.details[index] = detail;
    this.transactions[index] = transaction;
    this.queries[index] = null;
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
    this.beforeStarts = copy(new Int32Array(capacity), this.beforeStarts);
    this.afterStarts = copy(new Int32Array(capacity), this.afterStarts);
    this.beforeBitmaps = copy(new Int32Array(capacity), this.beforeBitmaps);
    this.afterBitmaps = copy(new Int32Array(capacity), this.afterBitmaps);
    this.eventPositions = copy(new Float64Array(capacity), this.eventPositions);
    this.rows = copy(new Int32Array(capacity), this.rows);
  }
}

function copy<A extends Uint8Array | Int32Array | Float64Array>(larger: A, smaller: A): A {
  larger.set(smaller);
  return larger;
}
