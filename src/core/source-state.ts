/**
 * The durable memory of the daemon, one small key-value set per source, in a compacted Kafka topic or in a file.
 * Keys: `checkpoint`, `snapshot`, `topic/<name>`, `relation/<id>`, `schema-id/<hash>`. Values are JSON text.
 */
export interface StateStore {
  /**
   * Claims the source's state and reads it. From here on an older owner's `put` fails with OwnershipLostError.
   * Waits or fails as the store can: the file store refuses at once while a live process holds its lock.
   */
  open(source: string, signal: AbortSignal): Promise<SourceState>;
  /** As `open`, for one who replaces everything that is stored: damage of it is no obstacle, and its values are not given. */
  openToReplace(source: string, signal: AbortSignal): Promise<SourceState>;
  /**
   * Reads without claiming, for `checkpoint show`. Null where nothing is stored. May miss the newest `put` for a moment: a
   * broker marks a transaction as committed after it has answered.
   */
  peek(source: string, signal: AbortSignal): Promise<ReadonlyMap<string, string> | null>;
  /** Problems that would make `open` fail, for `check`. */
  close(): Promise<void>;
}

export interface SourceState extends AsyncDisposable {
  /** What is stored, kept up to date by `put`. */
  readonly entries: ReadonlyMap<string, string>;
  /**
   * Stores all of `changes` or none (null deletes a key). Resolves when durable.
   * @throws OwnershipLostError where a newer owner exists: the caller must stop without sending anything more.
   */
  put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void>;
}
