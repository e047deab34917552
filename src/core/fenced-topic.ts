/**
 * A compacted topic of one partition, written by owners that fence each other: the newest claim of a transactional id
 * wins, and every older one fails at its next write. Keys and values are text.
 */
export interface FencedTopic {
  /**
   * Makes sure that the topic is as it must be (creating it where it is missing), fences every older claim of
   * `transactionalId`, and only then reads the topic to its end.
   * @throws ConfigurationError where the topic is not compacted, has several partitions or may not be used.
   */
  claim(claim: ClaimRequest, signal: AbortSignal): Promise<TopicClaim>;
  /** Committed records whose key starts with `keyPrefix`, without claiming; empty where there is no topic. */
  peek(keyPrefix: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}

export interface ClaimRequest {
  readonly transactionalId: string;
  /** Only records whose key starts with this are read and may be written. */
  readonly keyPrefix: string;
  /** Named in errors. */
  readonly source: string;
}

export interface TopicClaim extends AsyncDisposable {
  /** Committed records at the time of the claim. */
  readonly records: ReadonlyMap<string, string>;
  /**
   * Writes all of `changes` or none (null is a tombstone) and resolves when that is durable. Never called concurrently.
   * @throws OwnershipLostError where a newer claim exists; nothing was written.
   * @throws TransientError where the outcome could not be found out in time.
   */
  put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void>;
}
