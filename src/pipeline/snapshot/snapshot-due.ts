import type { SnapshotSettings, SourceSettings } from '../../core/settings.ts';
import type { SnapshotTable } from '../../core/snapshot.ts';
import type { SnapshotMemory, SnapshotProgress, TableProgress } from '../../core/snapshot-progress.ts';
import type { SourceMemory } from '../../core/source-memory.ts';
import { qualifiedName, type TableId } from '../../core/table.ts';
import { rangesOf } from './snapshot-rounds.ts';

/** What a start has to do about snapshots. */
export type SnapshotDue =
  /** Nothing, and the tables need not be looked up. */
  | 'nothing'
  /** Read every table. */
  | 'all'
  /** Go on with what is under way, and read tables that were not captured before. */
  | 'rest'
  /** Take note of the tables: they streamed before anybody kept account of snapshots. */
  | 'account';

/** Decides by Debezium's snapshot modes. Pure. */
export function snapshotDue(mode: SnapshotSettings['mode'], stored: SnapshotMemory | null): SnapshotDue {
  if (stored !== null && stored.running !== null) return 'rest';
  if (mode === 'no_data' || mode === 'never') return 'nothing';
  if (mode === 'always') return 'all';
  return stored === null || stored.isUnaccounted === true ? 'account' : 'rest';
}

/**
 * What a source that starts for the first time, or over, has before it; null where nothing is to be read.
 * @param kept what is stored of before.
 */
export function snapshotAtFirst(
  { mode, blocking }: Pick<SnapshotSettings, 'mode' | 'blocking'>,
  startedAtMs: number,
  kept: SnapshotMemory | null,
): SnapshotMemory | null {
  if (mode === 'no_data' || mode === 'never') return null;
  const fresh = { id: crypto.randomUUID(), kind: 'initial', isPaused: false, startedAtMs, tables: null } as const;
  const holds = blocking || mode === 'initial_only';
  const running = holds ? { ...fresh, hold: { from: 'start', oldest: null, read: null } as const } : fresh;
  const { isUnaccounted: _, ...rest } = kept ?? {};
  return { ...rest, formatVersion: 1, covered: [], running };
}

/**
 * What is kept of what is stored where a source starts over. What operators have asked for is no matter of the log: signals
 * outlive the position. And that topics are to be searched for rows that are gone is not forgotten by a crash in between.
 */
export function keptOverResync(
  { settings, resync, keepsDeleted }: { settings: SourceSettings; resync: boolean; keepsDeleted: boolean },
  { checkpoint, snapshot }: Pick<SourceMemory, 'checkpoint' | 'snapshot'>,
): SnapshotMemory | null {
  const signals = snapshot?.signals;
  const hadRecords = resync || checkpoint?.phase === 'streaming' || snapshot?.sweep !== undefined;
  const sweeps = hadRecords && !keepsDeleted && tellsDeletes(settings);
  if (signals === undefined && !sweeps) return null;
  return {
    formatVersion: 1,
    covered: [],
    isUnaccounted: true,
    running: null,
    ...(sweeps ? { sweep: null } : {}),
    ...(signals === undefined ? {} : { signals }),
  };
}

/** Whether a row that the topic knows nothing new of is gone for certain: not where rows may have been left out of it. */
function tellsDeletes({ snapshot, skippedOperations, onPoison }: SourceSettings): boolean {
  const { mode, deletePass } = snapshot;
  const reads = mode !== 'no_data' && mode !== 'never' && mode !== 'initial_only';
  const isWhole = (['c', 'u', 'd'] as const).every((operation) => !skippedOperations.has(operation));
  return deletePass && reads && isWhole && onPoison === 'fail';
}

/** SQL condition on the rows of a table that are read; null: all of them. */
export function filterOf({ where }: SnapshotSettings, table: TableId): string | null {
  return where.find((each) => each.table.test(qualifiedName(table)))?.filter ?? null;
}

/** A table's place in a snapshot before anything of it was read. */
export function tableToRead(table: SnapshotTable, settings: SnapshotSettings): TableProgress {
  return {
    table: qualifiedName(table.id),
    key: table.key,
    filter: filterOf(settings, table.id),
    estimatedRows: table.estimatedRows,
    rows: 0,
    ranges: rangesOf([]),
    again: [],
  };
}

/** Tables without key come first: the less the stream has told of them by then, the less is told twice. */
export function inReadingOrder(tables: readonly SnapshotTable[]): SnapshotTable[] {
  const withKey = tables.filter(({ key }) => key !== null);
  return [...tables.filter(({ key }) => key === null), ...withKey];
}

/** The snapshot that a start begins or goes on with; null where there is none. Tables are those of the catalog. */
export function progressAtStart(
  due: SnapshotDue,
  stored: SnapshotMemory | null,
  tables: readonly SnapshotTable[],
  settings: SnapshotSettings,
  begun: { readonly id: string; readonly startedAtMs: number },
): SnapshotProgress | null {
  const running = stored?.running ?? null;
  const known = new Set([...(stored?.covered ?? []), ...(running?.tables ?? []).map(({ table }) => table)]);
  const isNew = (table: SnapshotTable) => due === 'all' || !known.has(qualifiedName(table.id));
  // A snapshot whose tables were never looked up is one of all tables.
  const isWhole = due === 'all' || (running !== null && running.tables === null);
  const readsNew = (isWhole || (settings.mode !== 'no_data' && settings.mode !== 'never')) && !isReadFirst(running);
  const added = readsNew && due !== 'account' ? inReadingOrder(tables.filter(isNew)) : [];
  const rows = [...(isWhole ? [] : (running?.tables ?? [])), ...added.map((table) => tableToRead(table, settings))];
  if (rows.length === 0) return null;
  if (running !== null) return { ...running, tables: rows };
  const hold = settings.blocking ? { hold: { from: 'view' } as const } : {};
  return { ...begun, kind: due === 'all' ? 'initial' : 'incremental', isPaused: false, ...hold, tables: rows };
}

/** Everything of it is read, before the stream, which has still to pass the view. */
export function isReadFirst(progress: SnapshotProgress | null): boolean {
  return progress?.hold?.from === 'start' && progress.hold.read !== null;
}
