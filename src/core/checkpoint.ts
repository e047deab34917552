/** The durable record of how far a source has been published. Its text form is JSON of exactly this. */
export interface Checkpoint {
  readonly formatVersion: 1;
  readonly source: string;
  /** `initialising` is saved before anything is created on the source; found at start, the creation begins again. */
  readonly phase: 'initialising' | 'streaming';
  readonly serverIdentity: string;
  /** Text of the connector's PositionCodec: a transaction boundary. Null only while initialising. */
  readonly position: string | null;
  readonly savedAtMs: number;
}

/** How far a topic had been written at a checkpoint; less found at start means that records were lost. */
export interface TopicProgress {
  readonly topic: string;
  /** Kafka's topic id: another one means that the topic was deleted and made again. */
  readonly topicId: string;
  /** Next offset by partition; null where nothing of ours went there. */
  readonly endOffsets: readonly (number | null)[];
}
