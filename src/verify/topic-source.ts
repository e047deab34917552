/** What verify needs of Kafka: stretches of a topic's partitions, committed records only. */
export interface TopicSource {
  /** Null where there is no such topic. */
  describe(topic: string, signal: AbortSignal): Promise<TopicExtent | null>;
  /** Where each partition ends now. */
  ends(topic: string, signal: AbortSignal): Promise<readonly number[]>;
  read(
    topic: string,
    partition: number,
    from: number,
    to: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly TopicRecord[], void, void>;
  /** Null where the record is not there any more. */
  recordAt(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<TopicRecord | null>;
  /** Columns of a record whose placeholder stands for a value that the log did not carry, where the record says so. */
  unavailableColumns(record: TopicRecord): readonly string[];
}

export interface TopicExtent {
  readonly partitions: readonly { readonly partition: number; readonly start: number; readonly end: number }[];
  /** Whether records go from its start without being replaced by newer ones. */
  readonly forgets: boolean;
}

export interface TopicRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Buffer | null;
}

/** Schemas of a registry by id; null where it has none of this id. */
export type SchemaById = (id: number) => Promise<{ readonly type: string; readonly text: string } | null>;
