import type { SnapshotControl } from './snapshot-control.ts';

/** What an attempt is to do beside what its checkpoint says. */
export interface RunRequest {
  /**
   * Discard the position and everything that goes with it, and start over. Asked of every attempt until one says that it
   * streams or snapshots, so doing it again must be harmless.
   */
  readonly resync: boolean;
  /** Of a resync: what is gone from the tables stays in the topics. */
  readonly keepsDeleted?: boolean;
}

/**
 * One attempt to run a source: from connecting to the end of its stream. The supervisor starts a new one after a
 * transient error; a runner is used once.
 */
export interface SourceRunner {
  /**
   * Resolves after a graceful stop (`stop` aborted: reading ended, Kafka flushed, checkpoint saved, source acknowledged), or
   * when it has told that it has completed.
   * Rejects with what ended it otherwise. `kill` cuts a graceful stop short.
   */
  run(observer: RunObserver, stop: AbortSignal, kill: AbortSignal): Promise<void>;
}

/** What a running source tells its supervisor. Values, never live objects: a runner may move to another thread. */
export interface RunObserver {
  /** The stream is open: everything committed from here on arrives. */
  streaming(): void;
  /** Tables are read beside the stream, or before it; `streaming` says that they no longer are. */
  snapshotting?(): void;
  /** All that it was to do is done and saved: `run` resolves now, without having been told to stop. */
  completed?(): void;
  /** Snapshots can be asked for from now until the attempt ends. */
  snapshots?(control: SnapshotControl): void;
  /** A sign of life of the main loop, at least once a second while it is not stuck. */
  touch(): void;
  progress(progress: RunProgress): void;
  /** Back-pressure until something outside answers again; null: it does. Told at every attempt. */
  waiting(reason: WaitReason | null): void;
}

/** What a run waits for, in an operator's words. */
export interface WaitReason {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export interface RunProgress {
  /** Last checkpointed position, text. */
  readonly position: string | null;
  /** When the checkpoint was last saved, or confirmed as current: milliseconds since 1970. */
  readonly checkpointedAtMs: number;
  /** Commit time of the newest acknowledged transaction, or null before the first. */
  readonly publishedCommitUs: number | null;
  /** True when nothing is in flight and the source has nothing newer: lag is 0. */
  readonly caughtUp: boolean;
  /**
   * True once everything that was committed when the stream opened is checkpointed, and every snapshot that was due is
   * complete. Never true and then false in one attempt.
   */
  readonly reachedStart: boolean;
  /** Changes acknowledged since the runner started. */
  readonly changes: number;
  readonly inFlightBytes: number;
  readonly retainedWalBytes: number | null;
}
