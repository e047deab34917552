import { isTableDone, type SnapshotProgress } from '../../core/snapshot-progress.ts';
import type { SnapshotStateName, SnapshotStatus } from '../../core/snapshot-status.ts';

/** The state of a snapshot that is under way. */
export function stateOf(run: {
  readonly progress: SnapshotProgress;
  readonly waitsFor: string | null;
}): SnapshotStateName {
  if (run.progress.isPaused) return 'paused';
  const isUntouched = (run.progress.tables ?? []).every(({ rows }) => rows === 0);
  return isUntouched && run.waitsFor !== null ? 'waiting' : 'running';
}

/** What an operator is shown of a snapshot. */
export function statusOf(
  progress: SnapshotProgress,
  state: SnapshotStateName,
  endedAtMs: number | null,
  waitsFor: string | null,
): SnapshotStatus {
  return {
    state,
    waiting_for: waitsFor,
    started_at: new Date(progress.startedAtMs).toISOString(),
    ended_at: endedAtMs === null ? null : new Date(endedAtMs).toISOString(),
    tables: (progress.tables ?? []).map((each) => ({
      table: each.table,
      rows: each.rows,
      estimated_rows: each.estimatedRows,
      done: isTableDone(each),
    })),
  };
}
