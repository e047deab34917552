import { type ChangeBatch, ChangeKind, type TransactionBegin } from '../../core/change-batch.ts';
import type { SnapshotReader, SnapshotTable, SnapshotView, ViewMark } from '../../core/snapshot.ts';
import { qualifiedName, type TableVersion } from '../../core/table.ts';
import type { RowIdentities } from './row-identities.ts';
import type { SnapshotRounds } from './snapshot-rounds.ts';

export interface StreamNotesParts<P> {
  readonly reader: SnapshotReader<P>;
  readonly rounds: SnapshotRounds;
  readonly identities: RowIdentities;
  /** By qualified name: the tables of the snapshot. */
  readonly tables: ReadonlyMap<string, SnapshotTable>;
}

/** Views in which rows were read before the stream, and which it has still to pass. */
export interface ReadBefore<P> {
  /** Everything was read in it. */
  readonly read: ViewMark<P>;
  /** The first of which rows came out. */
  readonly oldest: ViewMark<P>;
}

/** Notes of the stream what the rounds have to know, while a snapshot is under way. */
export class StreamNotes<P> {
  readonly #parts: StreamNotesParts<P>;
  readonly #names = new WeakMap<TableVersion, string>();
  #isInView = false;
  #isInTransaction = false;
  /** Null where there are none. */
  readBefore: ReadBefore<P> | null = null;
  /** The view of the open round. */
  view: SnapshotView<P> | null = null;
  /** A table without key that was read whole: what of its changes is in the view is not told again. */
  readTable: string | null = null;
  /** When the newest transaction of the stream was committed, microseconds since 1970; null before the first. */
  lastCommitUs: number | null = null;

  constructor(parts: StreamNotesParts<P>) {
    this.#parts = parts;
  }

  began(batch: ChangeBatch<P>, index: number): void {
    this.#parts.reader.emitted(batch, index);
    this.lastCommitUs = (batch.details[index] as TransactionBegin).commitTimeUs;
    this.#isInTransaction = true;
    this.#look(batch, index);
  }

  /** The transaction has ended. */
  ended(): void {
    this.#isInTransaction = false;
  }

  /** @returns false where the change is part of what was read. */
  takes(batch: ChangeBatch<P>, index: number, version: TableVersion): boolean {
    const { rounds } = this.#parts;
    const table = this.#nameOf(version);
    if (this.#isRead(table)) return false;
    if (!rounds.isUnfinished(table)) return true;
    const isUpdate = batch.kinds[index] === ChangeKind.update;
    const isWatched = rounds.watches(table);
    if (isWatched || isUpdate) this.#note(table, batch, index, version, isWatched);
    return true;
  }

  /** @returns those of which the truncate is to be told: not those that were read after it. */
  truncated(batch: ChangeBatch<P>, index: number, tables: readonly TableVersion[]): readonly TableVersion[] {
    // In the log of MySQL a truncate is a statement of its own, outside of transactions.
    if (!this.#isInTransaction) this.#look(batch, index);
    const told = tables.filter((version) => !this.#isRead(this.#nameOf(version)));
    for (const version of told) this.#parts.rounds.altered(this.#nameOf(version));
    return told;
  }

  altered(): void {
    for (const { table } of this.#parts.rounds.chunks) this.#parts.rounds.altered(table);
  }

  #look(batch: ChangeBatch<P>, index: number): void {
    const { rounds } = this.#parts;
    this.#isInView = this.view?.contains(batch, index) ?? false;
    rounds.began(this.#isInView);
    const { readBefore } = this;
    if (readBefore === null) return;
    rounds.beganBehind(readBefore.read.contains(batch, index), readBefore.oldest.contains(batch, index));
  }

  #isRead(table: string): boolean {
    return (table === this.readTable && this.#isInView) || this.#parts.rounds.leavesOut(table);
  }

  #note(table: string, batch: ChangeBatch<P>, index: number, version: TableVersion, isWatched: boolean): void {
    const { rounds, identities, reader, tables } = this.#parts;
    const kind = batch.kinds[index];
    const isComplete = kind === ChangeKind.delete || identities.isComplete(batch, index, version);
    // Of an update that is not watched only a key that changed without all columns matters.
    if (!isWatched && isComplete) return;
    const before = batch.hasBefore[index] === 1 ? identities.of(batch, index, version, 'before') : null;
    const after = kind === ChangeKind.delete ? null : identities.of(batch, index, version, 'after');
    const hasOldKey = kind !== ChangeKind.insert && before !== null && before !== after;
    if (!isComplete && hasOldKey) rounds.lacks(table, reader.keyOf(tables.get(table)!, batch, index));
    if (!isWatched) return;
    if (before === null && after === null) {
      rounds.altered(table);
      return;
    }
    if (hasOldKey) rounds.changed(table, before, true);
    if (after !== null) rounds.changed(table, after, isComplete);
  }

  #nameOf(version: TableVersion): string {
    let name = this.#names.get(version);
    if (name === undefined) {
      name = qualifiedName(version.id);
      this.#names.set(version, name);
    }
    return name;
  }
}
