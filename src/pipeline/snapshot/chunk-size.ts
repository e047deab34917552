import type { ChunkLimits } from '../../core/snapshot.ts';

/** How long reading a chunk may keep the stream waiting. */
const TARGET_MS = 250;
const MIN_ROWS = 100;
/** Before anything is known of the rows; the limits of bytes and time hold for the first chunk too. */
const FIRST_ROWS = 10_000;
const CHUNK_BYTES = 32 * 1024 * 1024;

/** Adapts the size of chunks so that reading one takes the target time, whatever the rows are like. */
export class ChunkSize {
  readonly #mostRows: number;
  #rows: number;

  /** @param mostRows what the operator allows. */
  constructor(mostRows: number) {
    this.#mostRows = mostRows;
    this.#rows = Math.min(mostRows, FIRST_ROWS);
  }

  get limits(): ChunkLimits {
    return { rows: this.#rows, bytes: CHUNK_BYTES, timeMs: TARGET_MS };
  }

  /** A round took this long for so many rows, read by `readers` at the same time. */
  took(elapsedMs: number, rows: number, readers: number): void {
    const each = rows / Math.max(1, readers);
    if (each < this.#rows / 2) return;
    const fitting = Math.round((each * TARGET_MS) / Math.max(1, elapsedMs));
    this.#rows = Math.max(MIN_ROWS, Math.min(this.#mostRows, this.#rows * 2, fitting));
  }
}
