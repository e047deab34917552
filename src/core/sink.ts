import type { TopicProgress } from './checkpoint.ts';
import type { Ticket } from './ticket.ts';

/** Where encoded records go. One per source: it owns a producer identity and nothing is shared with another source. */
export interface Sink extends AsyncDisposable {
  /** Makes sure that the topic exists (by the creation rules) and knows its partitions. Cached; call before appending. */
  topic(name: string, signal: AbortSignal): Promise<SinkTopic>;
  /** Fails when the topics hold less than a checkpoint says, or were recreated: ResyncRequiredError naming them. */
  verifyProgress(progress: readonly TopicProgress[], signal: AbortSignal): Promise<void>;
  /** How far the topics that changed since the last call are acknowledged. */
  takeProgress(): readonly TopicProgress[];
  /** Sends what is buffered and resolves when all of it is acknowledged. */
  flush(signal: AbortSignal): Promise<void>;
  /** Bytes appended and not yet acknowledged. */
  readonly inFlightBytes: number;
  /** Resolves while fewer than the allowed bytes are in flight; rejects with what made the sink fail. */
  ready(signal: AbortSignal): Promise<void>;
  /** Resolves never, rejects when the sink has failed for good (delivery timeout, fenced, not authorised). */
  readonly failure: Promise<never>;
}

/** A topic that records can be appended to, in order. */
export interface SinkTopic {
  readonly name: string;
  /** Largest record the topic takes, bytes. */
  readonly maxRecordBytes: number;
  /** Whether `append` would take the record: asked where several records must be appended all or none. */
  takes(record: OutgoingRecord): boolean;
  /**
   * Copies the record into the open batch of its partition. Synchronous; the bytes may be reused at once.
   * @returns false where the record is larger than the topic takes: nothing was appended.
   */
  append(record: OutgoingRecord, ticket: Ticket): boolean;
}

/** A record to send, as ranges of one buffer. One object is reused for all records. */
export interface OutgoingRecord {
  bytes: Uint8Array;
  /** `keyStart` -1: no key. The partition is Java's murmur2 of the key, or `partition`. */
  keyStart: number;
  keyEnd: number;
  /** `valueStart` -1: a tombstone. */
  valueStart: number;
  valueEnd: number;
  headers: readonly RecordHeader[];
  timestampMs: number;
  /** Partition for records without key; -1 lets the key decide. */
  partition: number;
}

export interface RecordHeader {
  readonly name: string;
  readonly value: Uint8Array;
}
