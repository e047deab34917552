/** The states of a source, as `tailrace_source_state` and the status object name them. */
export const SOURCE_STATES = [
  'starting',
  'snapshotting',
  'streaming',
  'paused',
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
  readonly snapshot: null;
  readonly retained_wal_bytes: number | null;
  readonly last_error: StatusError | null;
}

export interface StatusError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly at: string;
}
