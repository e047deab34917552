import type { ChangeBatch } from '../../core/change-batch.ts';
import { ConfigurationError, TailraceError } from '../../core/errors.ts';
import { accepted, conflict, invalid, type OperationOutcome } from '../../core/operation-outcome.ts';
import type { SnapshotReader, SnapshotTable } from '../../core/snapshot.ts';
import type { SnapshotControl, SnapshotRequest } from '../../core/snapshot-control.ts';
import {
  isTableDone,
  type SnapshotMemory,
  type SnapshotProgress,
  type TableProgress,
} from '../../core/snapshot-progress.ts';
import type { SnapshotStateName, SnapshotStatus } from '../../core/snapshot-status.ts';
import type { SourceBlock } from '../../core/source-block.ts';
import type { StaleKeyFinder } from '../../core/stale-keys.ts';
import { qualifiedName, type TableVersion } from '../../core/table.ts';
import type { SignalInbox } from '../signals/signal-inbox.ts';
import type { StreamWatch } from '../stream-watch.ts';
import { inReadingOrder, isReadFirst, progressAtStart, type SnapshotDue, tableToRead } from './snapshot-due.ts';
import type { SnapshotNotices } from './snapshot-notices.ts';
import { SnapshotRun, type SnapshotRunParts } from './snapshot-run.ts';
import { stateOf, statusOf } from './status-of.ts';
import { TopicSweep } from './topic-sweep.ts';

export interface SourceSnapshotsParts<P> extends Omit<SnapshotRunParts<P>, 'reader'> {
  readonly openReader: (signal: AbortSignal) => Promise<SnapshotReader<P>>;
  /** What was stored before this run. */
  readonly stored: SnapshotMemory | null;
  /** Where the stream starts. */
  readonly from: P;
  /** A snapshot begins, or the last one has ended. */
  readonly onRunning: (isRunning: boolean) => void;
  readonly createFinder: () => StaleKeyFinder;
  readonly sourceBlock: SourceBlock;
  readonly topicOf: (table: SnapshotTable) => string;
  /** Signals that are stored beside the snapshots; null where the source has none. */
  readonly inbox: SignalInbox | null;
}

/** The snapshots of one run of a source: what is due at its start, and what an operator asks for. */
export class SourceSnapshots<P> implements SnapshotControl, StreamWatch<P>, AsyncDisposable {
  readonly #parts: SourceSnapshotsParts<P>;
  readonly #running: { set(value: number): void };
  readonly #closed = new AbortController();
  #covered: readonly string[];
  #isUnaccounted: boolean;
  #reader: SnapshotReader<P> | null = null;
  #run: SnapshotRun<P> | null = null;
  #last: SnapshotStatus | null = null;
  #position: P;
  #isBusy = false;
  /** What is captured was not compared with what is covered: the stream has to pass what was read first. */
  #isLookPostponed = false;
  readonly #sweep: TopicSweep<P>;
  /** Tells how snapshots get on; null where nobody is to be told. */
  notices: SnapshotNotices | null = null;

  constructor(parts: SourceSnapshotsParts<P>) {
    this.#parts = parts;
    this.#covered = parts.stored?.covered ?? [];
    this.#isUnaccounted = parts.stored === null || parts.stored.isUnaccounted === true;
    this.#position = parts.from;
    this.#sweep = new TopicSweep({ ...parts, tombstones: parts.settings.tombstonesOnDelete }, parts.stored?.sweep);
    this.#running = parts.metrics.gauge('tailrace_snapshot_running').bind({ source: parts.settings.name });
    this.#running.set(0);
  }

  /** Looks up the tables and begins what is due. Called before the stream gives anything. */
  async begin(due: SnapshotDue, signal: AbortSignal): Promise<void> {
    if (due === 'nothing') {
      this.notices?.skipped();
      return;
    }
    await this.#beginAfter(this.#parts.stored, due, signal);
  }

  async #beginAfter(stored: SnapshotMemory | null, due: SnapshotDue, signal: AbortSignal): Promise<void> {
    const { settings, clock } = this.#parts;
    const reader = await this.#openReader(signal);
    const tables = await reader.readTables(signal);
    const begun = { id: crypto.randomUUID(), startedAtMs: clock.nowMs() };
    const progress = progressAtStart(due, stored, tables, settings.snapshot, begun);
    this.#isLookPostponed = isReadFirst(progress);
    if (!this.#isLookPostponed) this.#cover(tables);
    if (this.#sweep.awaitsEnds && progress !== null) await this.#noteEnds(tables, progress, signal);
    if (progress === null) {
      await this.#finish('completed', null);
      this.notices?.skipped();
      this.#beginSweep();
    } else {
      const isResumed = (stored?.running?.tables ?? null) !== null;
      this.#start(progress, tables, !isResumed);
    }
    this.remember();
  }

  /** Where something is to be done beside the stream; null while nothing is. */
  get watch(): StreamWatch<P> | null {
    return this.isRunning ? this : null;
  }

  get isRunning(): boolean {
    return this.#run !== null || this.#sweep.isRunning;
  }

  /** The stream has to rest until this changes. */
  get holdsStream(): boolean {
    return this.#run?.holdsStream ?? false;
  }

  /** Nothing is left to be read. */
  get isRead(): boolean {
    return this.#run?.isRead ?? true;
  }

  /** Whether what is under way was due by itself: without it consumers would lack rows. */
  get isDueByItself(): boolean {
    return this.#run !== null && !isAskedFor(this.#run.progress);
  }

  began(batch: ChangeBatch<P>, index: number): void {
    this.#run?.notes.began(batch, index);
  }

  takes(batch: ChangeBatch<P>, index: number, version: TableVersion): boolean {
    return this.#run?.notes.takes(batch, index, version) ?? true;
  }

  truncated(batch: ChangeBatch<P>, index: number, tables: readonly TableVersion[]): readonly TableVersion[] {
    return this.#run?.notes.truncated(batch, index, tables) ?? tables;
  }

  altered(): void {
    this.#run?.notes.altered();
  }

  reached(position: P): boolean {
    this.#position = position;
    this.#run?.notes.ended();
    return this.wantsStep(false);
  }

  /** Whether `step` has something to do at this boundary. */
  wantsStep(isQuiet: boolean): boolean {
    if (this.#run === null) return this.#sweep.wantsStep;
    return this.#run.isDone || this.#run.wantsStep(this.#position, isQuiet);
  }

  /** Does the next thing; the stream rests at a boundary. */
  async step(signal: AbortSignal): Promise<void> {
    const run = this.#run;
    if (run === null) return this.#stepSweep(signal);
    const wasRead = run.isRead && !run.isDone;
    if (!run.isDone) await this.#stepOf(run, AbortSignal.any([signal, this.#closed.signal]));
    if (this.#run !== run) return;
    if (run.isRead && !wasRead && this.#last === null) this.#read(run);
    if (!run.isDone) return;
    this.remember();
    await this.#finish('completed', run);
    if (!this.#isLookPostponed) this.#beginSweep();
    else await this.#beginAfter(this.memory, 'rest', signal);
  }

  /** @param begun called when the snapshot begins, before that is remembered. */
  async start(request: SnapshotRequest, begun?: () => void): Promise<OperationOutcome<SnapshotStatus>> {
    if (this.#run !== null || this.#isBusy) {
      return conflict(
        'SNAPSHOT_RUNNING',
        'A snapshot of this source is under way.',
        'Wait for its end, or stop it first.',
      );
    }
    this.#isBusy = true;
    try {
      const { signal } = this.#closed;
      const tables = await (await this.#openReader(signal)).readTables(signal);
      const { tables: patterns, where, filters = [], without = [], kind = 'incremental', signalId } = request;
      const hold = request.isBlocking === true ? { hold: { from: 'view' } as const } : {};
      const matches = (name: string) =>
        (patterns?.some((pattern) => pattern.test(name)) ?? true) && !without.some((pattern) => pattern.test(name));
      const asked = tables.filter(({ id }) => matches(qualifiedName(id)));
      if (asked.length === 0) {
        await this.#closeReader();
        const remedy = 'Name captured tables as anchored patterns on schema.table.';
        return invalid('SNAPSHOT_NO_TABLE', 'No captured table matches.', remedy, 'tables');
      }
      const { settings, clock } = this.#parts;
      const rows = inReadingOrder(asked).map((table) => {
        const each = tableToRead(table, settings.snapshot);
        const filter = where ?? filters.find((rule) => rule.table.test(each.table))?.filter ?? each.filter;
        return { ...each, filter };
      });
      const wrong = await this.#wrongFilter(asked, rows, signal);
      if (wrong !== null) {
        await this.#closeReader();
        return invalid('SNAPSHOT_FILTER_INVALID', wrong.message, wrong.remedy, 'where');
      }
      const asking = signalId === undefined ? {} : { signalId };
      const fresh = { id: crypto.randomUUID(), kind, ...asking, isPaused: false, ...hold, startedAtMs: clock.nowMs() };
      this.#start({ ...fresh, tables: rows }, tables, true);
      begun?.();
      this.remember();
      return accepted(this.status()!);
    } finally {
      this.#isBusy = false;
    }
  }

  status(): SnapshotStatus | null {
    const run = this.#run;
    if (run === null || (run.isRead && this.#last !== null)) return this.#last;
    return statusOf(run.progress, stateOf(run), null, run.waitsFor);
  }

  async pause(): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#control((run) => {
      const { isPaused } = run.progress;
      run.pause(true);
      if (!isPaused) this.notices?.paused(run.progress);
      return null;
    });
  }

  async resume(): Promise<OperationOutcome<SnapshotStatus>> {
    return this.#control((run) => {
      if (!run.progress.isPaused) {
        return conflict('SNAPSHOT_NOT_PAUSED', 'The snapshot of this source is not paused.', 'There is nothing to do.');
      }
      run.pause(false);
      this.notices?.paused(run.progress);
      return null;
    });
  }

  async stop(tables?: readonly RegExp[]): Promise<OperationOutcome<SnapshotStatus>> {
    if (tables === undefined) {
      const outcome = this.#control((run) => this.#stopAll(run));
      return outcome.ok ? accepted(this.#last!) : outcome;
    }
    return this.#control((run) => {
      const { progress } = run;
      const stopped = (progress.tables ?? [])
        .filter((each) => !isTableDone(each) && tables.some((pattern) => pattern.test(each.table)))
        .map(({ table }) => table);
      if (stopped.length === 0) {
        const remedy = 'Name tables of the snapshot that are not read to their end.';
        return invalid('SNAPSHOT_NO_TABLE', 'No table of the snapshot matches.', remedy, 'tables');
      }
      if (stopped.length === progress.tables?.length) return this.#stopAll(run);
      run.stop((table) => stopped.includes(table));
      this.#sweep.leaveOut(stopped);
      this.notices?.aborted(progress, stopped);
      return null;
    });
  }

  /** What is known goes into the next checkpoint. */
  remember(): void {
    const entry = this.#parts.tracker.open();
    entry.snapshot = this.memory;
    entry.ticket.seal();
  }

  get memory(): SnapshotMemory {
    return this.#run?.memory ?? { ...this.#storedBeside(), running: null };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException('The run of the source has ended.', 'AbortError'));
    await this.#run?.[Symbol.asyncDispose]();
    await this.#sweep[Symbol.asyncDispose]();
    await this.#closeReader();
    this.#running.set(0);
  }

  /** What an operator asked for and cannot be read ends that snapshot; what is due by itself ends the run. */
  async #stepOf(run: SnapshotRun<P>, signal: AbortSignal): Promise<void> {
    const before = run.progress;
    try {
      await run.step(this.#position, signal);
      this.notices?.advanced(before, run.progress);
    } catch (error) {
      const isAsked = isAskedFor(run.progress) && error instanceof TailraceError && !signal.aborted;
      if (!isAsked) throw error;
      this.#parts.logger.error({ error }, 'the snapshot cannot go on and was stopped; the source streams on');
      this.#stopAll(run);
    }
  }

  #read(run: SnapshotRun<P>): void {
    this.notices?.completed(run.progress);
    this.#last = statusOf(run.progress, 'completed', this.#parts.clock.nowMs(), null);
  }

  #stopAll(run: SnapshotRun<P>): null {
    const { progress } = run;
    this.#last = statusOf(progress, 'stopped', this.#parts.clock.nowMs(), null);
    run.stop(() => true);
    if (!isAskedFor(progress)) this.#sweep.leaveOutAll();
    this.notices?.aborted(progress, null);
    return null;
  }

  #control(act: (run: SnapshotRun<P>) => OperationOutcome<SnapshotStatus> | null): OperationOutcome<SnapshotStatus> {
    const run = this.#run;
    if (run === null) {
      const remedy = 'Start one with `tailrace snapshot start`.';
      return conflict('SNAPSHOT_NOT_RUNNING', 'No snapshot of this source is under way.', remedy);
    }
    const refused = act(run);
    if (refused !== null) return refused;
    this.remember();
    return accepted(this.status()!);
  }

  async #wrongFilter(
    tables: readonly SnapshotTable[],
    rows: readonly TableProgress[],
    signal: AbortSignal,
  ): Promise<ConfigurationError | null> {
    const filters = new Map(rows.map(({ table, filter }) => [table, filter]));
    for (const table of tables) {
      const filter = filters.get(qualifiedName(table.id)) ?? null;
      try {
        if (filter !== null) await this.#reader?.checkFilter(table, filter, signal);
      } catch (error) {
        if (error instanceof ConfigurationError) return error;
        throw error;
      }
    }
    return null;
  }

  #start(progress: SnapshotProgress, tables: readonly SnapshotTable[], isNew: boolean): void {
    const parts = { ...this.#parts, reader: this.#reader! };
    this.#run = new SnapshotRun(parts, tables, progress, () => this.#storedBeside());
    this.#last = null;
    this.#running.set(1);
    const names = progress.tables?.map(({ table }) => table) ?? [];
    this.#parts.logger.info({ snapshot: progress.id, kind: progress.kind, tables: names }, 'a snapshot is under way');
    this.#parts.onRunning(true);
    if (isNew) this.notices?.started(progress);
  }

  /** Everything but the closing is done at once: another snapshot may begin meanwhile, with a reader of its own. */
  async #finish(state: SnapshotStateName, run: SnapshotRun<P> | null): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    this.#run = null;
    this.#running.set(0);
    if (run !== null) {
      this.#last ??= statusOf(run.progress, state, this.#parts.clock.nowMs(), null);
      const rows = this.#last.tables.reduce((sum, table) => sum + table.rows, 0);
      this.#parts.logger.info({ snapshot: run.progress.id, rows }, `the snapshot is ${this.#last.state}`);
      this.#parts.onRunning(false);
    }
    await run?.[Symbol.asyncDispose]();
    await reader?.[Symbol.asyncDispose]();
  }

  async #noteEnds(tables: readonly SnapshotTable[], progress: SnapshotProgress, signal: AbortSignal): Promise<void> {
    await this.#sweep.noteEnds(tables, progress, signal);
    const entry = this.#parts.tracker.open();
    entry.resumeAt = this.#position;
    entry.snapshot = { ...this.#storedBeside(), running: progress };
    entry.ticket.seal();
    await this.#parts.settle(signal);
  }

  #beginSweep(): void {
    if (!this.#sweep.begin()) return;
    this.#running.set(1);
    this.#parts.onRunning(true);
  }

  async #stepSweep(signal: AbortSignal): Promise<void> {
    if (!this.#sweep.isRunning) return;
    const entry = this.#parts.tracker.open();
    try {
      const isTableSwept = await this.#sweep.step(this.#position, entry, signal);
      entry.resumeAt = this.#position;
      if (isTableSwept) entry.snapshot = this.memory;
    } finally {
      entry.ticket.seal();
    }
    if (this.#sweep.isRunning) return;
    this.#running.set(0);
    this.#parts.onRunning(false);
  }

  #cover(tables: readonly SnapshotTable[]): void {
    const names = new Set(this.#covered);
    for (const { id } of tables) names.add(qualifiedName(id));
    this.#covered = [...names];
    this.#isUnaccounted = false;
  }

  #storedBeside(): Omit<SnapshotMemory, 'running'> {
    const signals = this.#parts.inbox?.memory;
    return {
      formatVersion: 1,
      covered: this.#covered,
      ...(this.#isUnaccounted ? { isUnaccounted: true as const } : {}),
      ...this.#sweep.memory,
      ...(signals === undefined ? {} : { signals }),
    };
  }

  async #openReader(signal: AbortSignal): Promise<SnapshotReader<P>> {
    this.#reader ??= await this.#parts.openReader(signal);
    return this.#reader;
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = null;
    await reader?.[Symbol.asyncDispose]();
  }
}

/** An operator asked for it, by a signal or otherwise; it was not due by itself. */
function isAskedFor({ kind, signalId }: SnapshotProgress): boolean {
  return kind === 'incremental' || signalId !== undefined;
}
