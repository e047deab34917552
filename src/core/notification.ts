/** What Debezium tells of a snapshot. */
export interface Notification {
  /** What asked for the snapshot: the id of a signal; else one that is made up. */
  readonly id: string;
  readonly type:
    | 'STARTED'
    | 'DATA_COLLECTIONS_RESOLVED'
    | 'IN_PROGRESS'
    | 'TABLE_SCAN_COMPLETED'
    | 'COMPLETED'
    | 'PAUSED'
    | 'RESUMED'
    | 'ABORTED'
    | 'SKIPPED';
  readonly aggregateType: 'Initial Snapshot' | 'Incremental Snapshot';
  readonly additionalData: Readonly<Record<string, string>>;
}
