import type { SignalMemory } from './signal.ts';
import type { RowKey } from './snapshot.ts';

/** What is stored of a source's snapshots, beside its checkpoint. Its text form is JSON of exactly this. */
export interface SnapshotMemory {
  readonly formatVersion: 1;
  /** Qualified names of the tables that need no initial snapshot any more: done, under way, or given up by the operator. */
  readonly covered: readonly string[];
  /** True where nobody has looked at the tables yet, so that `covered` says nothing: a source that only streams. */
  readonly isUnaccounted?: true;
  /** The snapshot that is under way, or null. */
  readonly running: SnapshotProgress | null;
  /** Topics to be searched, when the snapshot is complete, for rows that it did not meet; null until the tables are known. */
  readonly sweep?: readonly TableToSweep[] | null;
  /** Missing where the source has no signals. */
  readonly signals?: SignalMemory;
}

export interface SnapshotProgress {
  readonly id: string;
  /** Decides what source blocks say: `first` … `last`, or `incremental`. */
  readonly kind: 'initial' | 'incremental';
  /** The signal that asked for it; missing where none did. */
  readonly signalId?: string;
  readonly isPaused: boolean;
  readonly startedAtMs: number;
  /** Missing: the stream goes on while tables are read. */
  readonly hold?: SnapshotHold;
  /** Null until the tables were looked up. */
  readonly tables: readonly TableProgress[] | null;
}

/** A table whose topic had records before a resync. */
export interface TableToSweep {
  /** Qualified name. */
  readonly table: string;
  /** Where each partition of its topic ended when the resync began. */
  readonly since: readonly number[];
}

/** When the stream rests. Marks are those of views. */
export type SnapshotHold =
  /** Once it has passed the view in which all tables are read, until they are. */
  | { readonly from: 'view' }
  | {
      /** From the beginning, until everything is read. */
      readonly from: 'start';
      /** Of the first view of which rows may be out; null: none are. */
      readonly oldest: string | null;
      /** Of the view in which everything was read: the stream leaves out what is in it. Null while it rests. */
      readonly read: string | null;
    };

export interface TableProgress {
  /** Qualified name. */
  readonly table: string;
  /** The columns that keys of it are of: where the table has others by now, it is read from its start. */
  readonly key: readonly string[] | null;
  readonly filter: string | null;
  readonly estimatedRows: number | null;
  /** Rows that were emitted. */
  readonly rows: number;
  /** In key order, without gaps. One range from null to null where the table is not divided. */
  readonly ranges: readonly RangeProgress[];
  /** Rows to be read once more, when the ranges are done: what the stream told of them lacks columns. */
  readonly again: readonly RowKey[];
}

export interface RangeProgress {
  /** The last key that was dealt with; null: none yet. */
  readonly after: RowKey | null;
  /** The last key that belongs to the range; null: the table's last. */
  readonly upTo: RowKey | null;
  readonly isDone: boolean;
}

export function isTableDone({ ranges, again }: TableProgress): boolean {
  return again.length === 0 && ranges.every(({ isDone }) => isDone);
}
