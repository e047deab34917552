import type { OperationOutcome } from './operation-outcome.ts';
import type { SnapshotRequest } from './snapshot-control.ts';
import type { SnapshotStatus } from './snapshot-status.ts';
import type { SourceStatus } from './source-status.ts';

export interface ResyncRequest {
  /** What is gone from the tables stays in the topics. */
  readonly keepsDeleted?: boolean;
}

/**
 * What an operator does to running sources, as the admin API calls it. An unknown name is refused as `SOURCE_UNKNOWN`; an
 * operation of one source waits for the one before it.
 */
export interface SourceOperations {
  /**
   * Stops reading gracefully (what was read is published and checkpointed) and stays `paused` until `resume`, whatever
   * else happens, but for a restart of the daemon. Resolves when the source is paused; pausing a paused one does nothing.
   * Refused where nothing runs: `completed`, `failed`, `resync-required`, `stopping`.
   */
  pause(source: string): Promise<OperationOutcome<SourceStatus>>;
  /**
   * Starts again from the checkpoint: a paused source, one that has failed (what made it fail was mended), one that needs
   * a resync (the verdict is made anew, and may be the same), and one that backs off, without waiting any longer.
   * Refused where it runs already, or has completed.
   */
  resume(source: string): Promise<OperationOutcome<SourceStatus>>;
  /**
   * Discards the position, in whatever state the source is, and starts over as if for the first time. Resolves when the
   * old attempt has ended and the new one begins; until that has discarded the position, a restart of the daemon forgets
   * the request.
   */
  resync(source: string, request?: ResyncRequest): Promise<OperationOutcome<SourceStatus>>;
  /** Refused with `SNAPSHOT_UNAVAILABLE` where the source does not stream, or its runner gives no `SnapshotControl`. */
  startSnapshot(source: string, request: SnapshotRequest): Promise<OperationOutcome<SnapshotStatus>>;
  /** The snapshot that is under way or was the last; null where there was none since the daemon started. */
  snapshotStatus(source: string): OperationOutcome<SnapshotStatus | null>;
  pauseSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>>;
  resumeSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>>;
  stopSnapshot(source: string): Promise<OperationOutcome<SnapshotStatus>>;
}
