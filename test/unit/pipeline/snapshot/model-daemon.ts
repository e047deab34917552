import assert from 'node:assert/strict';
import type { SnapshotHold, SnapshotProgress } from '../../../../src/core/snapshot-progress.ts';
import { type RoundChunk, rangesOf, SnapshotRounds } from '../../../../src/pipeline/snapshot/snapshot-rounds.ts';
import { type ModelRow, type ModelSource, sorted } from './model-source.ts';

const TABLE = 't';

interface OpenView {
  readonly rows: ReadonlyMap<number, ModelRow>;
  readonly sees: (index: number) => boolean;
  /** The stream has to come this far. */
  readonly high: number;
  readonly mark: string;
}

interface Saved {
  readonly position: number;
  readonly progress: SnapshotProgress;
  readonly newest: ReadonlyMap<number, number>;
}

/** What a driver does with the rounds, against the model of a source, and a consumer that folds what it emits. */
export class ModelDaemon {
  readonly #source: ModelSource;
  readonly #fold = new Map<number, { value: number; large: number | null }>();
  /** The newest state of each key that was told. */
  #newest = new Map<number, number>();
  #rounds: SnapshotRounds;
  #view: OpenView | null = null;
  /** By their marks, as the source would know them. */
  readonly #views = new Map<string, OpenView>();
  /** Rows were read again after a crash before the stream went on: it tells of what lies between. */
  #repeatsViews = false;
  #hasStreamed = false;
  #position: number;
  #saved: Saved;

  constructor(source: ModelSource, bounds: readonly number[], hold: SnapshotHold | null) {
    this.#source = source;
    this.#position = source.log.length;
    const ranges = rangesOf(bounds.map((bound) => [String(bound)]));
    this.#rounds = new SnapshotRounds({
      id: 's',
      kind: 'initial',
      isPaused: false,
      startedAtMs: 0,
      ...(hold === null ? {} : { hold }),
      tables: [{ table: TABLE, key: ['id'], filter: null, estimatedRows: null, rows: 0, ranges, again: [] }],
    });
    this.#saved = { position: this.#position, progress: this.#rounds.progress, newest: new Map() };
  }

  get holdsView(): boolean {
    return this.#view !== null;
  }

  /** Emits whole transactions, visible or not. */
  stream(count: number): void {
    if (this.#rounds.holdsStream) return;
    for (let i = 0; i < count && this.#position < this.#source.log.length; i++) this.#emit(this.#position++);
  }

  /** Opens a view, or reads a chunk, where the rules allow it. */
  atBoundary(rows: number, readers: number): void {
    const before = this.#readBefore;
    if (before !== null) {
      if (this.#position >= before.read.high) this.#rounds.passed();
    } else if (this.#view === null) this.#open(readers);
    else if (this.#rounds.holdsStream || this.#position >= this.#view.high) this.#read(this.#view, rows, readers);
  }

  saveCheckpoint(): void {
    this.#saved = { position: this.#position, progress: this.#rounds.progress, newest: new Map(this.#newest) };
  }

  /** What was emitted since the checkpoint stays where it is, and is emitted again. */
  crash(): void {
    this.#position = this.#saved.position;
    const { hold } = this.#saved.progress;
    this.#repeatsViews ||= hold?.from === 'start' && hold.oldest !== null && hold.read === null;
    this.#rounds = new SnapshotRounds(JSON.parse(JSON.stringify(this.#saved.progress)) as SnapshotProgress);
    this.#newest = new Map(this.#saved.newest);
    this.#view = null;
  }

  /** With everything visible the snapshot comes to its end, and the stream to its head. */
  finish(): void {
    for (let round = 0; !this.#rounds.isDone; round++) {
      assert.ok(round < 1_000, 'the snapshot ends');
      this.stream(Number.POSITIVE_INFINITY);
      this.atBoundary(3, 2);
    }
    this.stream(Number.POSITIVE_INFINITY);
  }

  folded(): Map<number, { value: number; large: number | null }> {
    return sorted(this.#fold);
  }

  #open(readers: number): void {
    const chunks = this.#rounds.nextChunks(readers);
    if (chunks.length === 0 || this.#source.isLocked) return;
    const hidden = new Set<number>();
    for (const index of this.#source.log.keys()) if (!this.#source.isVisible(index)) hidden.add(index);
    for (const index of hidden) if (index < this.#position) return;
    const { length: high } = this.#source.log;
    const mark = `view ${this.#views.size}`;
    const view = { rows: this.#source.view(), sees: (index: number) => index < high && !hidden.has(index), high, mark };
    this.#views.set(mark, view);
    this.#view = view;
    this.#rounds.open(chunks);
    if (!this.#rounds.holdsStream) return;
    this.#rounds.readsFirst(mark);
    this.saveCheckpoint();
  }

  #read(view: OpenView, limit: number, readers: number): void {
    if (this.#rounds.tablesToHold.length > 0) this.#rounds.holdStream();
    for (const chunk of this.#rounds.chunks) {
      if (chunk.keys === null) this.#readRange(chunk, view, limit);
      else this.#readKeys(chunk, view);
    }
    const next = this.#rounds.holdsStream ? this.#rounds.nextChunks(readers) : [];
    if (next.length > 0) {
      this.#rounds.goOn(next);
      return;
    }
    this.#rounds.readAll(view.mark);
    this.#rounds.close();
    this.#view = null;
    if (this.#rounds.readMark !== null) this.saveCheckpoint();
  }

  get #readBefore(): { read: OpenView; oldest: OpenView } | null {
    const { hold } = this.#rounds.progress;
    if (hold?.from !== 'start' || hold.read === null) return null;
    return { read: this.#views.get(hold.read)!, oldest: this.#views.get(hold.oldest!)! };
  }

  #readRange(chunk: RoundChunk, view: OpenView, limit: number): void {
    const from = chunk.after === null ? -1 : Number(chunk.after[0]);
    const to = chunk.upTo === null ? Number.POSITIVE_INFINITY : Number(chunk.upTo[0]);
    const rows = [...sorted(view.rows)].filter(([key]) => key > from && key <= to);
    let last: number | null = null;
    let emitted = 0;
    let isDone = rows.length <= limit;
    const left: string[][] = [];
    for (const [key, row] of rows.slice(0, limit)) {
      const verdict = this.#rounds.judge(TABLE, String(key));
      if (verdict === 'stop' && this.#rounds.holdsStream) left.push([String(key)]);
      else if (verdict === 'stop') {
        isDone = false;
        break;
      }
      if (verdict === 'emit') {
        emitted += 1;
        this.#tellRead(key, row);
      }
      last = key;
    }
    this.#rounds.ended(chunk, { last: last === null ? null : [String(last)], isDone }, emitted, left);
  }

  #readKeys(chunk: RoundChunk, view: OpenView): void {
    const left = [];
    let emitted = 0;
    for (const key of chunk.keys!) {
      const row = view.rows.get(Number(key[0]));
      if (row === undefined) continue;
      const verdict = this.#rounds.judge(TABLE, key[0]!);
      if (verdict === 'stop') left.push(key);
      if (verdict !== 'emit') continue;
      emitted += 1;
      this.#tellRead(Number(key[0]), row);
    }
    this.#rounds.ended(chunk, { last: null, isDone: true }, emitted, left);
  }

  #emit(index: number): void {
    const { changes } = this.#source.log[index]!;
    this.#rounds.began(this.#view?.sees(index) ?? false);
    const before = this.#readBefore;
    if (before !== null) this.#rounds.beganBehind(before.read.sees(index), before.oldest.sees(index));
    if (this.#rounds.leavesOut(TABLE)) return;
    this.#hasStreamed = true;
    if (changes === null) {
      this.#rounds.altered(TABLE);
      this.#fold.clear();
      return;
    }
    let left: number | null = null;
    for (const { key, version, after, isMoved } of changes) {
      const isComplete = after === null || after.large !== null;
      if (this.#rounds.watches(TABLE)) this.#rounds.changed(TABLE, String(key), isComplete);
      if (isMoved && !isComplete) this.#rounds.lacks(TABLE, [String(key)]);
      // A consumer that is told of the old key (the newkey header) keeps what it has of it,
      // and in a replay what it has of the new one.
      const large = (isMoved ? left : null) ?? this.#fold.get(key)?.large ?? null;
      left = this.#fold.get(key)?.large ?? null;
      this.#tell(key, version, after === null ? null : { value: after.value, large: after.large ?? large });
    }
  }

  #tellRead(key: number, row: ModelRow): void {
    if (this.#rounds.progress.hold?.from === 'start') assert.ok(!this.#hasStreamed, 'rows that are read come first');
    this.#tell(key, row.value, row);
  }

  #tell(key: number, version: number, row: { value: number; large: number | null } | null): void {
    const newest = this.#newest.get(key) ?? 0;
    const isReplay = this.#repeatsViews && this.#readBefore !== null;
    assert.ok(version >= newest || isReplay, `key ${key} steps back from ${newest} to ${version}`);
    this.#newest.set(key, version);
    if (row === null) this.#fold.delete(key);
    else this.#fold.set(key, { value: row.value, large: row.large });
  }
}
