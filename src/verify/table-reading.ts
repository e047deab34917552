import type { ChangeBatch } from '../core/change-batch.ts';
import type { Clock } from '../core/clock.ts';
import { outsideCondition } from '../core/filter-condition.ts';
import type { ChunkEnd, RowKey, SnapshotReader, SnapshotTable, SnapshotView } from '../core/snapshot.ts';
import { qualifiedName } from '../core/table.ts';

/** Rows of a chunk: few enough that looking at one again is cheap, many enough that there are not too many chunks. */
const CHUNK_ROWS = 10_000;
/** Keys that are asked for in one statement. */
const LOT_KEYS = 500;
const CHUNK_BYTES = 32 * 1024 * 1024;
const CHUNK_MS = 1_000;
/** A view holds back the cleaning up on the server: none is kept for longer, unless the table has no key. */
const VIEW_MS = 4_000;
const ASK_AGAIN_MS = 100;
const SAY_AFTER_MS = 2_000;

/** A stretch of a table, behind `after` up to `upTo`. */
export interface TableChunk {
  readonly after: RowKey | null;
  readonly upTo: RowKey | null;
}

interface Stretch extends TableChunk {
  readonly keys?: readonly RowKey[];
  readonly filter?: string;
}

/** The rows for which `filter`, SQL for a WHERE clause, does not hold. */
export interface OutsideRows {
  readonly filter: string;
  readonly visit: VisitRow;
}

export type VisitRow = (batch: ChangeBatch<unknown>, index: number) => void;

/** Reads a table, chunk after chunk, in views that are short. */
export class TableReading implements AsyncDisposable {
  readonly #reader: SnapshotReader<unknown>;
  readonly #table: SnapshotTable;
  readonly #clock: Clock;
  readonly #notice: (text: string) => void;
  #view: SnapshotView<unknown> | null = null;
  /** The newest view, though it may be gone: where it stood is known still. */
  #newest: SnapshotView<unknown> | null = null;
  #openedAtMs = 0;

  constructor(
    reader: SnapshotReader<unknown>,
    table: SnapshotTable,
    dependencies: { readonly clock: Clock; readonly notice: (text: string) => void },
  ) {
    this.#reader = reader;
    this.#table = table;
    this.#clock = dependencies.clock;
    this.#notice = dependencies.notice;
  }

  /** Opens a view, and ends it: from now on `isPassed` is about this moment. */
  async look(signal: AbortSignal): Promise<void> {
    await this.#currentView(signal);
    await this.endView();
  }

  /** Up to `rows` rows from the first on. */
  async readFirst(rows: number, visit: VisitRow, signal: AbortSignal): Promise<void> {
    if (this.#table.key === null) {
      await this.#readSome(rows, visit, signal);
      return;
    }
    await this.#read({ after: null, upTo: null }, rows, visit, signal);
  }

  /**
   * Every row. @returns the chunks in which they were read; `enter` is told the number of each before its rows come.
   * @param outside gets the rows that a filter leaves out once more, of each chunk in the view of its rows
   */
  async readAll(
    enter: (chunk: number) => void,
    visit: VisitRow,
    signal: AbortSignal,
    outside: OutsideRows | null = null,
  ): Promise<readonly TableChunk[]> {
    const chunks: TableChunk[] = [];
    for (let after: RowKey | null = null; ; ) {
      enter(chunks.length);
      const view = await this.#currentView(signal);
      const end = await this.#readIn(view, { after, upTo: null }, CHUNK_ROWS, visit, signal);
      // What is behind the last row now may not have been there: the last chunk has no end.
      const chunk = { after, upTo: end.isDone ? null : end.last };
      chunks.push(chunk);
      if (outside !== null) await this.#readOutside(view, chunk, outside, signal);
      if (end.isDone) return chunks;
      after = end.last;
    }
  }

  /** The rows that a chunk has now. */
  async readChunk({ after, upTo }: TableChunk, visit: VisitRow, signal: AbortSignal): Promise<void> {
    for (let from = after; ; ) {
      const end = await this.#read({ after: from, upTo }, CHUNK_ROWS, visit, signal);
      if (end.isDone) return;
      from = end.last;
    }
  }

  /** The rows of these keys that the table has still. */
  async readKeys(keys: readonly RowKey[], visit: VisitRow, signal: AbortSignal): Promise<void> {
    for (let at = 0; at < keys.length; at += LOT_KEYS) {
      const lot = keys.slice(at, at + LOT_KEYS);
      for (let after: RowKey | null = null; ; ) {
        const end = await this.#read({ after, upTo: null, keys: lot }, LOT_KEYS, visit, signal);
        if (end.isDone) break;
        after = end.last;
      }
    }
  }

  /** Whether a stream that goes on at `position` has emitted everything that was read so far. */
  isPassed(position: unknown): boolean {
    return this.#newest === null || this.#newest.isPassed(position);
  }

  /** Ends the view; the next reading is of a newer one. */
  async endView(): Promise<void> {
    const view = this.#view;
    this.#view = null;
    await view?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endView();
  }

  async #readOutside(
    view: SnapshotView<unknown>,
    { after, upTo }: TableChunk,
    { filter, visit }: OutsideRows,
    signal: AbortSignal,
  ): Promise<void> {
    const complement = outsideCondition(filter);
    for (let from = after; ; ) {
      const end = await this.#readIn(view, { after: from, upTo, filter: complement }, CHUNK_ROWS, visit, signal);
      if (end.isDone) return;
      from = end.last;
    }
  }

  async #read(stretch: Stretch, rows: number, visit: VisitRow, signal: AbortSignal): Promise<ChunkEnd> {
    return this.#readIn(await this.#currentView(signal), stretch, rows, visit, signal);
  }

  async #readIn(
    view: SnapshotView<unknown>,
    stretch: Stretch,
    rows: number,
    visit: VisitRow,
    signal: AbortSignal,
  ): Promise<ChunkEnd> {
    const limits = { rows, bytes: CHUNK_BYTES, timeMs: CHUNK_MS };
    const chunk = { table: this.#table, keys: null, filter: null, ...stretch, limits };
    const batches = view.read(chunk, 0, signal);
    for (;;) {
      const next = await batches.next();
      if (next.done === true) return next.value;
      visitBatch(next.value, visit);
    }
  }

  /** A table without key is read as a whole: the caller has seen enough earlier. */
  async #readSome(rows: number, visit: VisitRow, signal: AbortSignal): Promise<void> {
    const view = await this.#currentView(signal);
    const limits = { rows, bytes: CHUNK_BYTES, timeMs: CHUNK_MS };
    const chunk = { table: this.#table, after: null, upTo: null, keys: null, filter: null, limits };
    let seen = 0;
    for await (const batch of view.read(chunk, 0, signal)) {
      visitBatch(batch, (of, index) => {
        if (seen++ < rows) visit(of, index);
      });
      if (seen >= rows) break;
    }
    await this.endView();
  }

  async #currentView(signal: AbortSignal): Promise<SnapshotView<unknown>> {
    signal.throwIfAborted();
    if (this.#view !== null && performance.now() - this.#openedAtMs < VIEW_MS) return this.#view;
    await this.endView();
    const askedAtMs = performance.now();
    let isSaid = false;
    for (;;) {
      const view = await this.#reader.openView({ tables: [this.#table], readers: 1, emittedUpTo: null }, signal);
      if (!('refusal' in view)) {
        this.#view = view;
        this.#newest = view;
        this.#openedAtMs = performance.now();
        return view;
      }
      if (!isSaid && performance.now() - askedAtMs > SAY_AFTER_MS) {
        isSaid = true;
        this.#notice(`Waiting to read ${qualifiedName(this.#table.id)}: ${view.refusal}.`);
      }
      await this.#clock.sleep(ASK_AGAIN_MS, signal);
    }
  }
}

function visitBatch(batch: ChangeBatch<unknown>, visit: VisitRow): void {
  try {
    for (let index = 0; index < batch.count; index++) visit(batch, index);
  } finally {
    batch.release();
  }
}
