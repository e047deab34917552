import type { TableVersion } from './table.ts';

/**
 * Keys of a topic that it says there are rows of, and of which nothing was told since a moment: after a resync, rows that
 * are gone. It is found out from the topic alone.
 */
export interface StaleKeys extends AsyncDisposable {
  /** Gets up to `count` of them ready. @returns false where there are no more. */
  prepare(count: number, signal: AbortSignal): Promise<boolean>;
  /**
   * Those that are ready, as bytes of record keys, without those that were told of meanwhile. What is in the topic at the time
   * of the call counts: whoever asks has to have sent everything, and sends nothing before it has used the answer.
   */
  take(signal: AbortSignal): Promise<readonly Buffer[]>;
}

export interface StaleKeysRequest {
  /** Of the table, as it is now. */
  readonly version: TableVersion;
  readonly topic: string;
  /** Offset by partition of what was told first since then; partitions beyond them were made later. */
  readonly since: readonly number[];
}

export interface StaleKeyFinder extends AsyncDisposable {
  /** Where each partition of a topic ends now; empty where there is no such topic. */
  ends(topic: string, signal: AbortSignal): Promise<readonly number[]>;
  /** Reads the topic, which takes long, and keeps hashes of it in a temporary file. */
  find(request: StaleKeysRequest, signal: AbortSignal): Promise<StaleKeys>;
}
