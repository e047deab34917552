import type { ChunkEnd, RowKey } from '../../core/snapshot.ts';
import {
  isTableDone,
  type RangeProgress,
  type SnapshotProgress,
  type TableProgress,
} from '../../core/snapshot-progress.ts';

/** What is read in a round: the next rows of a range, or single rows. */
export interface RoundChunk {
  readonly table: string;
  /** Index of the range; null where `keys` are read. */
  readonly range: number | null;
  readonly after: RowKey | null;
  readonly upTo: RowKey | null;
  readonly keys: readonly RowKey[] | null;
}

/** What to do with a row that was read. */
export type Verdict =
  /** It is the newest state that consumers get to see. */
  | 'emit'
  /** A newer state is out already. */
  | 'skip'
  /** A newer state is out, but not all of it: the chunk ends before this row, and another view reads it again. */
  | 'stop';

/** Keys that one round may note before it is given up. */
const MAX_NOTED_KEYS = 200_000;
/** Rows to be read once more that are kept; beyond them the table is read anew. */
const MAX_KEYS_AGAIN = 1_000;

/**
 * The rounds of a snapshot, without I/O: what is read next, which rows of a view are older than what the stream has emitted
 * meanwhile, and how far the tables are. A round goes `open` (the view is there) → stream events → `read` (the stream has
 * passed the view) → a verdict per row → `close`.
 *
 * Rests on two promises of who calls it: everything emitted before `open` is visible in the view, and `isInView` is true
 * only for transactions that are.
 */
export class SnapshotRounds {
  #progress: SnapshotProgress;
  #chunks: readonly RoundChunk[] = [];
  /** Keys whose newest state may be missing in the view, by table; true where what was emitted of them is complete. */
  readonly #noted = new Map<string, Map<string, boolean>>();
  readonly #abandoned = new Set<string>();
  #notedKeys = 0;
  #isInView = false;
  /** The stream rests, because the chunks of the open view are read without it. */
  #isHeld = false;
  /** Whether the transaction that the stream emits is in the view in which everything was read, and in the oldest one. */
  #isInRead = false;
  #isInOldest = false;

  /** @param progress with its tables looked up. */
  constructor(progress: SnapshotProgress) {
    this.#progress = progress;
    this.restart();
  }

  get progress(): SnapshotProgress {
    return this.#progress;
  }

  get isDone(): boolean {
    return this.#tables.every(isTableDone) && this.readMark === null;
  }

  /** Whether the stream has to rest, also while nothing is read. */
  get holdsStream(): boolean {
    const { hold } = this.#progress;
    return hold?.from === 'start' ? hold.read === null && !this.#tables.every(isTableDone) : this.#isHeld;
  }

  /** Of the view in which everything was read that the stream has still to pass; null where there is none. */
  get readMark(): string | null {
    const { hold } = this.#progress;
    return hold?.from === 'start' ? hold.read : null;
  }

  /** Tables that are read in one view while the stream rests: all that have ranges left. */
  get tablesToHold(): readonly string[] {
    const { hold } = this.#progress;
    const left = this.#tables.filter(({ ranges }) => ranges.some(({ isDone }) => !isDone));
    if (hold === undefined) return [];
    // One without key is read at once, and the stream rests anyway.
    return left.filter(({ key }) => hold.from === 'start' || key !== null).map(({ table }) => table);
  }

  /**
   * Up to `count` ranges that come next: of one table before the next, so that tables are finished one by one. While the
   * stream rests, those of the open view.
   */
  nextChunks(count: number): readonly RoundChunk[] {
    const chunks: RoundChunk[] = [];
    const isToHold = this.tablesToHold.length > 0;
    for (const { table, ranges, again } of this.#tables) {
      if (this.#isHeld && !this.#noted.has(table)) continue;
      for (const [range, { after, upTo, isDone }] of ranges.entries()) {
        if (!isDone) chunks.push({ table, range, after, upTo, keys: null });
        if (chunks.length === count) return chunks;
      }
      if (this.#isHeld || isToHold || again.length === 0 || !ranges.every(({ isDone }) => isDone)) continue;
      chunks.push({ table, range: null, after: null, upTo: null, keys: again });
      if (chunks.length === count) return chunks;
    }
    return chunks;
  }

  /** A view of these tables is open, and nothing was emitted since. */
  open(chunks: readonly RoundChunk[], tables: readonly string[] = chunks.map(({ table }) => table)): void {
    this.#chunks = chunks;
    this.#forget();
    for (const table of tables) this.#noted.set(table, new Map());
  }

  /** The stream rests from now on, until everything in the open view is read. */
  holdStream(): void {
    this.#isHeld = true;
  }

  /** These chunks come next in the open view. */
  goOn(chunks: readonly RoundChunk[]): void {
    this.#chunks = chunks;
  }

  /** Rows of a view come out before anything of the stream. To be stored before they do. */
  readsFirst(mark: string): void {
    const { hold } = this.#progress;
    if (hold?.from !== 'start') return;
    this.#progress = { ...this.#progress, hold: { ...hold, oldest: hold.oldest ?? mark } };
  }

  /** What was to be read in this view is. Where that is everything, it is to be stored before the stream goes on, until `passed`. */
  readAll(mark: string): void {
    const { hold } = this.#progress;
    if (hold?.from !== 'start' || !this.#tables.every(isTableDone)) return;
    this.#progress = { ...this.#progress, hold: { ...hold, read: mark } };
  }

  /** The stream has emitted what is in the view in which everything was read. */
  passed(): void {
    // What has to be read once more by now is read beside the stream.
    const { hold: _, ...progress } = this.#progress;
    this.#progress = progress;
    this.beganBehind(false, false);
  }

  /** The view in which everything was to be read is gone: all of it is read again, in another. */
  restart(): void {
    const { hold } = this.#progress;
    if (hold?.from !== 'start' || hold.read !== null || this.#progress.tables === null) return;
    const tables = this.#tables.map((each) => ({ ...each, rows: 0, ranges: rangesOf([]), again: [] }));
    this.#progress = { ...this.#progress, tables };
  }

  /**
   * Whether a change of the transaction that is being emitted is left out, because its row was read when it was in the table.
   * Rows that came out in an earlier view than the last may be gone in the last: what happened to them since is told.
   */
  leavesOut(table: string): boolean {
    if (!this.#isInRead) return false;
    const found = this.#tables.find((each) => each.table === table);
    return found !== undefined && (found.key === null || this.#isInOldest);
  }

  /** The chunks of the open round whose tables are still what they were. */
  get chunks(): readonly RoundChunk[] {
    return this.#chunks.filter(({ table }) => !this.#abandoned.has(table));
  }

  /** True where a change of the table has to be told to `changed`. */
  watches(table: string): boolean {
    return !this.#isInView && this.#noted.has(table);
  }

  /** The stream emits a transaction. */
  began(isInView: boolean): void {
    this.#isInView = isInView;
  }

  /** As `began`, while the stream passes what was read before it. */
  beganBehind(isInRead: boolean, isInOldest: boolean): void {
    this.#isInRead = isInRead;
    this.#isInOldest = isInOldest;
  }

  /**
   * The stream emitted a change of a row of a table that is watched. A change of its key is told for both keys.
   * @param isComplete false where a column of the new state was not in the log.
   */
  changed(table: string, key: string, isComplete: boolean): void {
    const noted = this.#noted.get(table);
    if (noted === undefined) return;
    const before = noted.get(key);
    if (before === undefined) this.#notedKeys += 1;
    // What a later change left out, consumers have from the one before.
    noted.set(key, isComplete || before === true);
    if (this.#notedKeys > MAX_NOTED_KEYS) this.#abandonAll();
  }

  /**
   * The stream emitted a row under a key that it did not have before, without all of its columns: what was emitted under the
   * old key may have been nothing. `key` null: it cannot be told.
   */
  lacks(table: string, key: RowKey | null): void {
    const before = this.#tables.find((each) => each.table === table);
    if (before === undefined || (isTableDone(before) && !this.#isInRead)) return;
    if (key !== null && before.again.length < MAX_KEYS_AGAIN) {
      this.#update(table, () => ({ ...before, again: [...before.again, key] }));
      return;
    }
    this.altered(table);
    this.#update(table, fromTheStart);
  }

  /** Whether `lacks` has to be told of the table. */
  isUnfinished(table: string): boolean {
    return this.#tables.some((each) => each.table === table && (this.#isInRead || !isTableDone(each)));
  }

  /** The stream emitted a truncate or another layout of the table: this round says nothing of it any more. */
  altered(table: string): void {
    if (!this.#noted.has(table)) return;
    this.#abandoned.add(table);
    this.#noted.delete(table);
  }

  judge(table: string, key: string): Verdict {
    const isComplete = this.#noted.get(table)?.get(key);
    if (isComplete === undefined) return 'emit';
    return isComplete ? 'skip' : 'stop';
  }

  /** True where `judge` has something to say of the table's rows: where not, every row is emitted. */
  judges(table: string): boolean {
    return (this.#noted.get(table)?.size ?? 0) > 0;
  }

  /**
   * A chunk of the round was read; its rows count from now on as emitted.
   * @param left keys that were not dealt with.
   */
  ended({ table, range, keys }: RoundChunk, end: ChunkEnd, rows: number, left: readonly RowKey[] = []): void {
    this.#update(table, (before) => ({
      ...before,
      rows: before.rows + rows,
      ranges: before.ranges.map((each, index) => (index === range ? advanced(each, end) : each)),
      again: [...left, ...(keys === null ? before.again : before.again.filter((key) => !keys.includes(key)))],
    }));
  }

  /** The view is gone. */
  close(): void {
    this.#chunks = [];
    this.#forget();
  }

  divide(table: string, bounds: readonly RowKey[]): void {
    this.#update(table, (before) => ({ ...before, ranges: rangesOf(bounds) }));
  }

  pause(isPaused: boolean): void {
    this.#progress = { ...this.#progress, isPaused };
  }

  /** What the tables are now: those that are gone are left out, and one with another key is read from its start. */
  adopt(keyOf: (table: string) => readonly string[] | null | undefined): void {
    this.stop((table) => keyOf(table) === undefined);
    for (const { table, key: before } of this.#tables) {
      const key = keyOf(table) ?? null;
      if (JSON.stringify(key) !== JSON.stringify(before)) {
        this.#update(table, (each) => ({ ...each, key, rows: 0, ranges: rangesOf([]), again: [] }));
      }
    }
  }

  /** Leaves these tables as they are. The open round says nothing of them any more: nobody notes their changes now. */
  stop(matches: (table: string) => boolean): void {
    for (const { table } of this.#chunks) if (matches(table)) this.altered(table);
    this.#progress = { ...this.#progress, tables: this.#tables.filter(({ table }) => !matches(table)) };
  }

  get #tables(): readonly TableProgress[] {
    return this.#progress.tables ?? [];
  }

  #update(table: string, change: (before: TableProgress) => TableProgress): void {
    const tables = this.#tables.map((each) => (each.table === table ? change(each) : each));
    this.#progress = { ...this.#progress, tables };
  }

  #abandonAll(): void {
    for (const table of [...this.#noted.keys()]) this.altered(table);
  }

  #forget(): void {
    this.#noted.clear();
    this.#abandoned.clear();
    this.#notedKeys = 0;
    this.#isInView = false;
    this.#isHeld = false;
  }
}

/** The ranges that these keys divide a table into. */
export function rangesOf(bounds: readonly RowKey[]): readonly RangeProgress[] {
  const ends = [...bounds, null];
  return ends.map((upTo, index) => ({ after: bounds[index - 1] ?? null, upTo, isDone: false }));
}

/** Its ranges are begun anew, for a table that is not finished. */
function fromTheStart(progress: TableProgress): TableProgress {
  return { ...progress, ranges: rangesOf(progress.ranges.slice(0, -1).map(({ upTo }) => upTo!)), again: [] };
}

function advanced(range: RangeProgress, { last, isDone }: ChunkEnd): RangeProgress {
  return { ...range, after: last ?? range.after, isDone };
}
