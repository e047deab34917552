import { type ChangeBatch, type ChangeDetail, ChangeKind } from '../../../src/core/change-batch.ts';
import type { ArenaPool, MessageArena } from '../../../src/core/message-arena.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { PgPosition } from '../positions.ts';
import { scanCopyRow } from '../protocol/copy-row.ts';
import type { Lsn } from '../protocol/lsn.ts';

/** What the source block of every row of a view says of where and when it was read. */
export interface ViewPoint {
  /** Everything visible in the view lies before. */
  readonly lsn: Lsn;
  /** When the view was opened, by the server's clock, microseconds since 1970. */
  readonly timeUs: number;
}

const NOWHERE: ViewPoint = { lsn: { high: 0, low: 0 }, timeUs: 0 };

/** Rows of one arena, which holds rows of COPY's text format. Recycled with its arrays. */
export class RowBatch implements ChangeBatch<PgPosition> {
  readonly #recycle: () => void;
  #pool: ArenaPool | null = null;
  #arena: MessageArena | null = null;
  bytes: Buffer = Buffer.alloc(0);
  receivedAtMs = 0;
  count = 0;
  kinds = new Uint8Array(0);
  hasBefore = new Uint8Array(0);
  readonly versions: (TableVersion | null)[] = [];
  readonly details: (ChangeDetail<PgPosition> | null)[] = [];
  point = NOWHERE;
  /** Cells of row i are `[i * width, (i + 1) * width)` of these: CELL_NULL, or a range of `bytes`. */
  width = 0;
  starts = new Int32Array(0);
  ends = new Int32Array(0);

  constructor(recycle: () => void) {
    this.#recycle = recycle;
  }

  /** Takes over the caller's hold of the arena. */
  open(arena: MessageArena, pool: ArenaPool, width: number, point: ViewPoint): void {
    this.#arena = arena;
    this.#pool = pool;
    this.bytes = arena.bytes;
    this.receivedAtMs = arena.receivedAtMs;
    this.count = 0;
    this.width = width;
    this.point = point;
    this.#reserve(arena.count, arena.count * width);
  }

  /** Appends the arena's row of the same number. @throws ProtocolError where it does not have `width` columns. */
  scan(arena: MessageArena): void {
    const index = this.count;
    const { starts, ends, width } = this;
    scanCopyRow(arena.bytes, arena.starts[index]!, arena.ends[index]!, starts, ends, index * width, width);
    this.versions[index] = null;
    this.details[index] = null;
    this.count = index + 1;
  }

  isNull(index: number, column: number): boolean {
    return this.starts[index * this.width + column]! < 0;
  }

  text(index: number, column: number): string {
    const cell = index * this.width + column;
    return this.bytes.toString('utf8', this.starts[cell]!, this.ends[cell]!);
  }

  release(): void {
    const arena = this.#arena;
    if (arena === null) return;
    this.#arena = null;
    this.#pool?.letGo(arena);
    this.#recycle();
  }

  #reserve(rows: number, cells: number): void {
    if (rows > this.kinds.length) {
      this.kinds = new Uint8Array(rows * 2).fill(ChangeKind.read);
      this.hasBefore = new Uint8Array(rows * 2);
    }
    if (cells > this.starts.length) {
      this.starts = new Int32Array(cells * 2);
      this.ends = new Int32Array(cells * 2);
    }
  }
}

/** One change of a table without a row. */
export function blankBatch(version: TableVersion, point: ViewPoint): RowBatch {
  const batch = new RowBatch(() => {});
  batch.kinds = Uint8Array.of(ChangeKind.read);
  batch.hasBefore = new Uint8Array(1);
  batch.versions[0] = version;
  batch.details[0] = null;
  batch.count = 1;
  batch.point = point;
  return batch;
}

/** Batches that are not in use. */
export class RowBatches {
  readonly #free: RowBatch[] = [];

  take(): RowBatch {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const batch: RowBatch = new RowBatch(() => this.#free.push(batch));
    return batch;
  }
}
