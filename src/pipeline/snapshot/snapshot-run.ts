import type { Clock } from '../../core/clock.ts';
import type { RecordEncoder } from '../../core/encoder.ts';
import { FatalError, TransientError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { Metrics } from '../../core/metrics.ts';
import type { SourceSettings } from '../../core/settings.ts';
import type { Sink } from '../../core/sink.ts';
import type { Chunk, SnapshotReader, SnapshotTable, SnapshotView } from '../../core/snapshot.ts';
import type { SnapshotMemory, SnapshotProgress } from '../../core/snapshot-progress.ts';
import { qualifiedName, type TableVersion } from '../../core/table.ts';
import type { AckTracker, InFlightBatch } from '../ack-tracker.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { RowPublisher } from '../row-publisher.ts';
import type { TablePlans } from '../table-plans.ts';
import { ChunkPublisher } from './chunk-publisher.ts';
import { ChunkSize } from './chunk-size.ts';
import { RowIdentities } from './row-identities.ts';
import { type RoundChunk, rangesOf, SnapshotRounds } from './snapshot-rounds.ts';
import { StreamNotes } from './stream-notes.ts';

/** A round begins only while the stream is this close to the head of the log. */
const NEAR_HEAD_MS = 5_000;
/** Pause between two attempts to open a view. */
const RETRY_MS = 100;
const RETRY_AFTER_ERROR_MS = 1_000;
/** How long an open view waits for Kafka: it is a transaction on the source. */
const VIEW_WAITS_MS = 1_000;

export interface SnapshotRunParts<P> {
  readonly settings: SourceSettings;
  readonly reader: SnapshotReader<P>;
  readonly encoder: RecordEncoder;
  readonly plans: TablePlans;
  readonly rows: RowPublisher;
  readonly deadLetters: DeadLetters;
  readonly sink: Sink;
  readonly tracker: AckTracker<P>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Resolves when everything that was appended so far, and what it says of snapshots, is saved. */
  readonly settle: (signal: AbortSignal) => Promise<void>;
}

/**
 * One snapshot from where it was left to its end: opens views, lets the stream pass them, publishes chunks. `step` does the
 * next of these at a transaction boundary, while the stream rests.
 */
export class SnapshotRun<P> {
  readonly #parts: SnapshotRunParts<P>;
  /** By qualified name, as they were looked up last. */
  readonly #tables: Map<string, SnapshotTable>;
  readonly #identities: RowIdentities;
  readonly #rounds: SnapshotRounds;
  readonly #notes: StreamNotes<P>;
  readonly #chunks: ChunkPublisher<P>;
  readonly #size: ChunkSize;
  readonly #storedBeside: () => Omit<SnapshotMemory, 'running'>;
  #view: SnapshotView<P> | null = null;
  /** Of the table without key that is read next: kept while a view is waited for. */
  #pieces: readonly Chunk[] | null = null;
  #retryAtMs = 0;
  /** The view is of everything that is left, and the stream rests while that is read. */
  #isWhole = false;
  /** A round is not in a checkpoint yet. The next is read after that: a crash repeats one round at most. */
  #isUnsaved = false;
  /** No view is opened until it is: one had to be given up. */
  #waitsForSave = false;
  #openedAtMs = 0;
  /** A round failed: a table may be gone, or another than it was. */
  #isStale = false;
  #waitsFor: string | null = null;

  /**
   * @param tables the captured tables; those of `progress` that are not among them any more are left out.
   * @param storedBeside what is stored beside the progress.
   */
  constructor(
    parts: SnapshotRunParts<P>,
    tables: readonly SnapshotTable[],
    progress: SnapshotProgress,
    storedBeside: () => Omit<SnapshotMemory, 'running'>,
  ) {
    const { settings, reader, encoder, metrics } = parts;
    this.#parts = parts;
    this.#tables = new Map();
    this.#storedBeside = storedBeside;
    this.#rounds = new SnapshotRounds(progress);
    const keyOf = (version: TableVersion) => this.#tables.get(qualifiedName(version.id))?.key ?? null;
    const identities = new RowIdentities(encoder, keyOf);
    this.#identities = identities;
    this.#adopt(tables);
    this.#notes = new StreamNotes({ reader, rounds: this.#rounds, identities, tables: this.#tables });
    this.#lookBehind();
    this.#size = new ChunkSize(settings.snapshot.chunkRows);
    const counter = metrics.counter('tailrace_snapshot_rows_total');
    this.#chunks = new ChunkPublisher({
      ...parts,
      rounds: this.#rounds,
      identities,
      nowUs: () => parts.clock.nowUs(),
      counted: (table, rows) => counter.bind({ source: settings.name, table }).add(rows),
    });
  }

  get notes(): StreamNotes<P> {
    return this.#notes;
  }

  get progress(): SnapshotProgress {
    return this.#rounds.progress;
  }

  get isDone(): boolean {
    return this.#view === null && this.#rounds.isDone;
  }

  /** Nothing more of it comes, although the stream may have to pass what was read. */
  get isRead(): boolean {
    return this.isDone || this.#rounds.readMark !== null;
  }

  /** The stream has to rest until this changes. */
  get holdsStream(): boolean {
    return this.#rounds.holdsStream;
  }

  /** What keeps it from reading, for the operator; null while it reads. */
  get waitsFor(): string | null {
    return this.#waitsFor;
  }

  get memory(): SnapshotMemory {
    return { ...this.#storedBeside(), running: this.isDone ? null : this.#rounds.progress };
  }

  /**
   * Whether there is something to do at this boundary.
   * @param isQuiet the source has nothing more to say for now.
   */
  wantsStep(position: P, isQuiet: boolean): boolean {
    const nowMs = this.#parts.clock.nowMs();
    const { isPaused, hold } = this.#rounds.progress;
    const { readBefore } = this.#notes;
    if (readBefore !== null) return readBefore.read.isPassed(position);
    if (this.#view !== null) {
      // In a pause the stream goes on, where that is right.
      if (this.#rounds.holdsStream) return !isPaused || hold?.from === 'view';
      return this.#isUnsaved ? nowMs - this.#openedAtMs > VIEW_WAITS_MS : this.#view.isPassed(position);
    }
    if (this.#waitsForSave || this.#rounds.isDone || isPaused || nowMs < this.#retryAtMs) return false;
    if (this.#rounds.holdsStream) return true;
    const { lastCommitUs } = this.#notes;
    const lagMs = lastCommitUs === null ? 0 : (this.#parts.clock.nowUs() - lastCommitUs) / 1000;
    const isNear = isQuiet || lagMs < NEAR_HEAD_MS;
    this.#waitsFor = isNear ? null : `the stream is ${Math.round(lagMs / 1000)} s behind`;
    return isNear;
  }

  /** Opens a view, or reads from the one that the stream has passed. Everything emitted so far lies before `position`. */
  async step(position: P, signal: AbortSignal): Promise<void> {
    try {
      if (this.#notes.readBefore !== null) this.#passed(position);
      else if (this.#view === null) await this.#open(position, signal);
      else if (this.#rounds.holdsStream && this.#rounds.progress.isPaused) await this.#close();
      else if (this.#isUnsaved && !this.#rounds.holdsStream) await this.#giveWay();
      else await this.#read(this.#view, position, signal);
    } catch (error) {
      await this.#close();
      this.#rounds.restart();
      if (!(error instanceof TransientError) || signal.aborted) throw error;
      this.#waitsFor = error.message;
      this.#retryAtMs = this.#parts.clock.nowMs() + RETRY_AFTER_ERROR_MS;
      this.#isStale = true;
      this.#parts.logger.warn({ error }, 'a round of the snapshot failed and is begun again');
    }
  }

  pause(isPaused: boolean): void {
    this.#rounds.pause(isPaused);
  }

  /** Nothing more of these tables is read; what was read stays. */
  stop(matches: (table: string) => boolean): void {
    this.#rounds.stop(matches);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  async #open(position: P, signal: AbortSignal): Promise<void> {
    const { reader, settings, clock } = this.#parts;
    if (this.#isStale) this.#adopt(await reader.readTables(signal));
    this.#isStale = false;
    if (this.#rounds.isDone) return;
    const { parallelism } = settings.snapshot;
    const chunks = await this.#nextChunks(parallelism, signal);
    const held = this.#rounds.tablesToHold;
    const own = [...new Set(chunks.map(({ table }) => table))];
    const isWhole = held.length > 0 && own.every((table) => held.includes(table));
    const names = isWhole ? held : own;
    const tables = names.map((table) => this.#tables.get(table)!);
    if (!isWhole && this.#isWithoutKey(chunks)) this.#pieces ??= await this.#piecesOf(chunks[0]!, signal);
    const readers = isWhole ? parallelism : (this.#pieces ?? chunks).length;
    const opened = await reader.openView({ tables, readers, emittedUpTo: position }, signal);
    if ('refusal' in opened) {
      this.#waitsFor = opened.refusal;
      this.#retryAtMs = clock.nowMs() + RETRY_MS;
      return;
    }
    this.#waitsFor = null;
    this.#view = opened;
    this.#isWhole = isWhole;
    this.#openedAtMs = clock.nowMs();
    this.#notes.view = opened;
    this.#rounds.open(chunks, names);
    if (this.#rounds.holdsStream) await this.#begin(opened, position, signal);
    else if (this.#pieces !== null) await this.#readWhole(opened, chunks[0]!, this.#pieces, position, signal);
  }

  /** Before the first row may be out it is stored of which view it is. */
  async #begin(view: SnapshotView<P>, position: P, signal: AbortSignal): Promise<void> {
    this.#rounds.readsFirst(view.mark);
    this.#remember(position);
    await this.#parts.settle(signal);
  }

  #savedBeforeNext(entry: InFlightBatch<P>): void {
    this.#isUnsaved = true;
    entry.onSnapshotSaved = () => {
      this.#isUnsaved = false;
      this.#waitsForSave = false;
    };
  }

  #passed(position: P): void {
    this.#notes.readBefore = null;
    this.#rounds.passed();
    this.#remember(position);
  }

  #remember(position: P): void {
    const entry = this.#parts.tracker.open();
    entry.resumeAt = position;
    entry.snapshot = this.memory;
    entry.ticket.seal();
  }

  /** What was read before the stream is to be left out of it, also by a later run than the one that read it. */
  #lookBehind(): void {
    const { hold } = this.#rounds.progress;
    if (hold?.from !== 'start' || hold.read === null) return;
    const { reader } = this.#parts;
    this.#notes.readBefore = { read: reader.recall(hold.read), oldest: reader.recall(hold.oldest ?? hold.read) };
  }

  /** The view is opened again once the round before is saved. */
  async #giveWay(): Promise<void> {
    this.#waitsForSave = true;
    this.#waitsFor = 'the rows before are not acknowledged by Kafka and saved';
    await this.#close();
  }

  #adopt(tables: readonly SnapshotTable[]): void {
    this.#pieces = null;
    this.#tables.clear();
    for (const table of tables) this.#tables.set(qualifiedName(table.id), table);
    this.#rounds.adopt((table) => this.#tables.get(table)?.key);
    this.#identities.forget();
  }

  /** A table without key is read alone: its rows cannot be told from what the stream says of them meanwhile. */
  async #nextChunks(count: number, signal: AbortSignal): Promise<readonly RoundChunk[]> {
    const { reader } = this.#parts;
    const [first, ...more] = this.#rounds.nextChunks(count);
    if (first === undefined) return [];
    const table = this.#tables.get(first.table)!;
    if (table.key === null) return [first];
    if (
      first.range === 0 &&
      first.after === null &&
      first.upTo === null &&
      count > 1 &&
      more.every((c) => c.table !== first.table)
    ) {
      const bounds = await reader.divide(table, count, signal);
      if (bounds.length > 0) this.#rounds.divide(first.table, bounds);
    }
    return this.#rounds.nextChunks(count).filter((chunk) => this.#tables.get(chunk.table)!.key !== null);
  }

  #isWithoutKey(chunks: readonly RoundChunk[]): boolean {
    return this.#tables.get(chunks[0]!.table)!.key === null;
  }

  /** A table without key is read by all readers in the same view: its ranges mean nothing in another one. */
  async #piecesOf(chunk: RoundChunk, signal: AbortSignal): Promise<readonly Chunk[]> {
    const { reader, settings } = this.#parts;
    const whole = this.#chunkOf(chunk);
    const { parallelism } = settings.snapshot;
    const bounds = parallelism > 1 ? await reader.divide(whole.table, parallelism, signal) : [];
    return rangesOf(bounds).map(({ after, upTo }) => ({ ...whole, after, upTo }));
  }

  /** Its changes that are in the view are left out until the stream has passed it: only then the table is done. */
  async #readWhole(
    view: SnapshotView<P>,
    chunk: RoundChunk,
    pieces: readonly Chunk[],
    position: P,
    signal: AbortSignal,
  ): Promise<void> {
    const entry = this.#parts.tracker.open();
    try {
      await this.#chunks.publishWhole(view, chunk, pieces, entry, signal);
      entry.resumeAt = position;
    } finally {
      entry.ticket.seal();
    }
    this.#notes.readTable = chunk.table;
  }

  async #read(view: SnapshotView<P>, position: P, signal: AbortSignal): Promise<void> {
    const { tracker, clock, settings } = this.#parts;
    const entry = tracker.open();
    if (this.#isWhole) this.#rounds.holdStream();
    try {
      if (this.#notes.readTable === null) {
        const startedAtMs = clock.nowMs();
        const { chunks } = this.#rounds;
        const before = rowsOf(this.#rounds.progress);
        const published = chunks.map((chunk, reader) =>
          this.#chunks.publish(view, chunk, this.#chunkOf(chunk), reader, entry, signal),
        );
        await Promise.all(published).finally(() => Promise.allSettled(published));
        this.#size.took(clock.nowMs() - startedAtMs, rowsOf(this.#rounds.progress) - before, chunks.length);
      }
      const next = this.#rounds.holdsStream ? await this.#nextChunks(settings.snapshot.parallelism, signal) : [];
      if (next.length > 0) this.#rounds.goOn(next);
      else {
        this.#rounds.readAll(view.mark);
        await this.#close();
      }
      entry.resumeAt = position;
      entry.snapshot = this.memory;
      if (next.length === 0) this.#savedBeforeNext(entry);
    } finally {
      entry.ticket.seal();
    }
    if (this.#rounds.readMark === null) return;
    await this.#parts.settle(signal);
    this.#lookBehind();
  }

  #chunkOf({ table, after, upTo, keys }: RoundChunk): Chunk {
    const found = this.#tables.get(table);
    const filter = this.#rounds.progress.tables?.find((each) => each.table === table)?.filter ?? null;
    if (found === undefined) {
      throw new FatalError(`The table ${table} of the snapshot is not known.`, {
        code: 'SNAPSHOT_TABLE_UNKNOWN',
        remedy: 'Report this: the tables of a snapshot were looked up before it began.',
        table,
      });
    }
    return { table: found, after, upTo, keys, filter, limits: this.#size.limits };
  }

  async #close(): Promise<void> {
    const view = this.#view;
    this.#view = null;
    this.#pieces = null;
    this.#isWhole = false;
    this.#notes.view = null;
    this.#notes.readTable = null;
    this.#rounds.close();
    await view?.[Symbol.asyncDispose]();
  }
}

function rowsOf(progress: SnapshotProgress): number {
  return (progress.tables ?? []).reduce((sum, { rows }) => sum + rows, 0);
}
