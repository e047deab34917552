/**
 * `waiting`: asked for, and nothing of it is read yet. The last three are ends; what a source shows then is its last
 * snapshot.
 */
export const SNAPSHOT_STATES = ['waiting', 'running', 'paused', 'completed', 'stopped'] as const;
export type SnapshotStateName = (typeof SNAPSHOT_STATES)[number];

/** The snapshot object of the admin API; names are fixed for users. Plain values, without row values. */
export interface SnapshotStatus {
  readonly state: SnapshotStateName;
  /** Why nothing is read at this moment, for an operator (`the stream is 40 s behind`); null while rows are read. */
  readonly waiting_for: string | null;
  /** ISO 8601. */
  readonly started_at: string;
  /** ISO 8601; null before the end. */
  readonly ended_at: string | null;
  readonly tables: readonly SnapshotTableStatus[];
}

export interface SnapshotTableStatus {
  /** `schema.table`; `database.table` with MySQL and MariaDB. */
  readonly table: string;
  /** Rows published so far. */
  readonly rows: number;
  readonly estimated_rows: number | null;
  readonly done: boolean;
}

/** Whether there is something to pause, stop or wait for. */
export function isSnapshotUnderWay(snapshot: SnapshotStatus | null): boolean {
  return snapshot !== null && snapshot.state !== 'completed' && snapshot.state !== 'stopped';
}
