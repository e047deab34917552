import type { SnapshotTable } from '../../core/snapshot.ts';
import type { SnapshotProgress, TableToSweep } from '../../core/snapshot-progress.ts';
import type { StaleKeyFinder } from '../../core/stale-keys.ts';
import { qualifiedName } from '../../core/table.ts';
import type { InFlightBatch } from '../ack-tracker.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { DeletePass, type DeletePassParts } from './delete-pass.ts';

export interface TopicSweepParts<P> extends Omit<DeletePassParts<P>, 'finder'> {
  readonly createFinder: () => StaleKeyFinder;
  readonly topicOf: (table: SnapshotTable) => string;
  readonly deadLetters: DeadLetters;
}

/** The end of a resync: which topics are to be searched for rows that are gone, and the pass that deletes them. */
export class TopicSweep<P> implements AsyncDisposable {
  readonly #parts: TopicSweepParts<P>;
  readonly #closed = new AbortController();
  /** Undefined where there is none; null until the tables of the resync are known. */
  #tables: readonly TableToSweep[] | null | undefined;
  #pass: DeletePass<P> | null = null;
  #finder: StaleKeyFinder | null = null;

  constructor(parts: TopicSweepParts<P>, stored: readonly TableToSweep[] | null | undefined) {
    this.#parts = parts;
    this.#tables = stored;
  }

  /** Whether a resync has begun that has not looked where its topics end. */
  get awaitsEnds(): boolean {
    return this.#tables === null;
  }

  get isRunning(): boolean {
    return this.#pass !== null;
  }

  get wantsStep(): boolean {
    return this.#pass?.wantsStep ?? false;
  }

  /** What is left to do, for the next checkpoint. */
  get memory(): { readonly sweep?: readonly TableToSweep[] | null } {
    const sweep = this.#tables === null ? null : this.#searchable();
    return sweep === null || sweep.length > 0 ? { sweep } : {};
  }

  /** Looks where the topics end. Before anything is told: what lies before these ends was told by the life before. */
  async noteEnds(tables: readonly SnapshotTable[], progress: SnapshotProgress, signal: AbortSignal): Promise<void> {
    const sweep: TableToSweep[] = [];
    for (const { table: name, filter } of progress.tables ?? []) {
      const table = tables.find(({ id }) => qualifiedName(id) === name);
      if (table === undefined || table.key === null || filter !== null) continue;
      const since = await this.#openFinder().ends(this.#parts.topicOf(table), signal);
      if (since.some((end) => end > 0)) sweep.push({ table: name, since });
    }
    this.#tables = sweep;
  }

  /** These were not read to their end: what was not met may be there. */
  leaveOut(tables: readonly string[]): void {
    this.#tables = this.#tables?.filter(({ table }) => !tables.includes(table));
  }

  /** As `leaveOut`, of all tables. */
  leaveOutAll(): void {
    this.#tables = undefined;
  }

  /** @returns whether a pass begins now. */
  begin(): boolean {
    const tables = this.#searchable();
    if (this.#pass !== null || tables.length === 0) return false;
    this.#pass = new DeletePass({ ...this.#parts, finder: this.#openFinder() }, tables);
    return true;
  }

  /**
   * Does the next thing; the stream rests at a boundary.
   * @returns whether a table is done, which the next checkpoint is to know.
   */
  async step(position: P, entry: InFlightBatch<P>, signal: AbortSignal): Promise<boolean> {
    const pass = this.#pass;
    if (pass === null) return false;
    const before = pass.left.length;
    await pass.step(position, entry, AbortSignal.any([signal, this.#closed.signal]));
    this.#tables = pass.left;
    if (pass.left.length === 0) {
      this.#pass = null;
      await pass[Symbol.asyncDispose]();
    }
    return pass.left.length < before;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException('The run of the source has ended.', 'AbortError'));
    await this.#pass?.[Symbol.asyncDispose]();
    await this.#finder?.[Symbol.asyncDispose]();
  }

  /** Not those of which rows went to the dead letters: they may be in the table and not in the topic. */
  #searchable(): readonly TableToSweep[] {
    const { tables: buried } = this.#parts.deadLetters;
    return (this.#tables ?? []).filter(({ table }) => !buried.has(table));
  }

  #openFinder(): StaleKeyFinder {
    this.#finder ??= this.#parts.createFinder();
    return this.#finder;
  }
}
