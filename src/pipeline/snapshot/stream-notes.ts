import { type ChangeBatch, ChangeKind, type TransactionBegin } from '../../core/change-batch.ts';
import type { SnapshotReader, SnapshotTable, SnapshotView } from '../../core/snapshot.ts';
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

/** Notes of the stream what the rounds have to know, while a snapshot is under way. */
export class StreamNotes<P> {
  readonly #parts: StreamNotesParts<P>;
  readonly #names = new WeakMap<TableVersion, string>();
  #isInView = false;
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
    const { reader, rounds } = this.#parts;
    reader.emitted(batch, index);
    this.#isInView = this.view?.contains(batch, index) ?? false;
    this.lastCommitUs = (batch.details[index] as TransactionBegin).commitTimeUs;
    rounds.began(this.#isInView);
  }

  /** @returns false where the change is part of what was read. */
  takes(batch: ChangeBatch<P>, index: number, version: TableVersion): boolean {
    const { rounds } = this.#parts;
    const table = this.#nameOf(version);
    if (table === this.readTable && this.#isInView) return false;
    if (!rounds.isUnfinished(table)) return true;
    const isUpdate = batch.kinds[index] === ChangeKind.update;
    const isWatched = rounds.watches(table);
    if (isWatched || isUpdate) this.#note(table, batch, index, version, isWatched);
    return true;
  }

  truncated(tables: readonly TableVersion[]): void {
    for (const version of tables) this.#parts.rounds.altered(this.#nameOf(version));
  }

  altered(): void {
    for (const { table } of this.#parts.rounds.chunks) this.#parts.rounds.altered(table);
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
