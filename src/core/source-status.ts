import type { SnapshotStatus } from './snapshot-status.ts';

/**
 * The states of a source. `completed`: it has read its tables, and is not to stream. As
 * `tailrace_source_state` and the status object name them.
 */
export const SOURCE_STATES = [
  'starting',
  'snapshotting',
  'streaming',
  'paused',
  'completed',
  'backing-off',
  'resync-required',
  'failed',
  'stopping',
  'stopped',
] as const;
export type SourceStateName = (typeof SOURCE_STATES)[number];

/** The source object of the admin API; names are fixed for users. */
export interface SourceStatus {
  readonly name: string;
  readonly type: string;
  readonly state: SourceStateName;
  /** When the state was entered, ISO 8601. */
  readonly since: string;
  readonly position: string | null;
  readonly lag_seconds: number | null;
  readonly changes_total: number;
  readonly changes_per_second: number;
  readonly in_flight_bytes: number;
  /** The snapshot that is under way or was the last; null where there was none since the process started. */
  readonly snapshot: SnapshotStatus | null;
  readonly retained_wal_bytes: number | null;
  readonly last_error: StatusError | null;
  /** What the supervisor does about repeated failures; null while there are none. */
  readonly retry: RetryStatus | null;
}

export interface RetryStatus {
  /** Attempts that failed in a row. */
  readonly failures: number;
  /** True while the pauses between attempts last minutes. */
  readonly circuit_open: boolean;
  /** ISO 8601; null while an attempt runs. */
  readonly next_attempt_at: string | null;
}

export interface StatusError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly at: string;
}

/** What the admin API asks of whoever runs the sources. Every answer is a snapshot and costs no I/O. */
export interface StatusProvider {
  statuses(): readonly SourceStatus[];
  /** Not ok when a loop is stuck and only a restart of the process helps. */
  live(): HealthVerdict;
  /** Ok only while every source streams, snapshots, has completed or is paused by its operator. */
  ready(): HealthVerdict;
}

export interface HealthVerdict {
  readonly ok: boolean;
  readonly problems: readonly SourceProblem[];
}

export interface SourceProblem {
  readonly source: string;
  readonly state: SourceStateName;
  /** A sentence for the operator, without row values and secrets. */
  readonly detail: string;
}
