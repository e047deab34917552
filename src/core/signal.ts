/** A signal as it came: nothing of it is certain but that it is text. */
export interface SignalText {
  readonly id: string;
  readonly type: string;
  /** JSON. */
  readonly data: string;
}

/** A signal that is not done with. */
export interface WaitingSignal extends SignalText {
  /** Patterns of tables that it was stopped for before it began. */
  readonly without: readonly string[];
}

/** What is stored of a source's signals, beside its snapshots. Its text form is JSON of exactly this. */
export interface SignalMemory {
  /** In the order in which they came. */
  readonly waiting: readonly WaitingSignal[];
  /** How far the signal topic was read; null where none was. */
  readonly topic: SignalTopicProgress | null;
}

export interface SignalTopicProgress {
  readonly topic: string;
  /** Next offset by partition; a partition beyond them is read from its beginning. */
  readonly offsets: readonly number[];
}

/** The signal topic while it is read. */
export interface SignalTopic extends AsyncDisposable {
  /** Next offset by partition of what `records` has not given yet. */
  readonly offsets: readonly number[];
  /**
   * Records as they come, in the order of each partition. Ends when the signal is aborted.
   * @throws TransientError where the cluster does not answer; FatalError where what was not read yet is gone.
   */
  records(signal: AbortSignal): AsyncIterable<readonly SignalRecord[]>;
}

export interface SignalRecord {
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

/** Opens a signal topic at these offsets; null: at its end. @throws ConfigurationError where there is no such topic. */
export type OpenSignalTopic = (
  topic: string,
  from: readonly number[] | null,
  signal: AbortSignal,
) => Promise<SignalTopic>;
