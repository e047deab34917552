import type { TopicProgress } from '../core/checkpoint.ts';
import { FatalError } from '../core/errors.ts';
import type { OutgoingRecord, SinkTopic } from '../core/sink.ts';
import type { Ticket } from '../core/ticket.ts';
import { partitionOfKey, partitionOfKeyless } from './murmur2.ts';
import type { PartitionWriter } from './partition-writer.ts';
import { BATCH_HEADER_BYTES, loneRecordBytes } from './record-batch.ts';

const FRAMING_BYTES = 64;

/** What a topic tells its sink. */
export interface TopicHost {
  /**
   * `bytes` were appended to the partition. `opened`: its open batch is a new one; `sealed`: it is complete.
   * @throws what made the sink fail: a record that could never be sent must not be taken.
   */
  appended(writer: PartitionWriter, bytes: number, opened: boolean, sealed: boolean): void;
  throwIfFailed(): void;
  /** `isDraining` of the topic changed. */
  drains(topic: KafkaTopic): void;
}

/** A topic with its partitions, as far as this sink writes to them. */
export class KafkaTopic implements SinkTopic {
  readonly name: string;
  readonly topicId: string;
  readonly #host: TopicHost;
  readonly #createWriter: (partition: number) => PartitionWriter;
  readonly #writers: PartitionWriter[] = [];
  readonly #endOffsets: (number | null)[] = [];
  readonly #maxBatchBytes: number;
  #keylessPartition = 0;
  #progressChanged = false;
  /** More partitions that exist, but are not used before everything sent so far is acknowledged. */
  #growTo = 0;

  constructor(
    name: string,
    topicId: string,
    partitions: number,
    maxBatchBytes: number,
    host: TopicHost,
    createWriter: (partition: number) => PartitionWriter,
  ) {
    this.name = name;
    this.topicId = topicId;
    this.#maxBatchBytes = maxBatchBytes;
    this.#host = host;
    this.#createWriter = createWriter;
    this.#setPartitions(partitions);
  }

  get writers(): readonly PartitionWriter[] {
    return this.#writers;
  }

  /**
   * Judged by the size before compression, although the broker judges what it receives: so what is accepted here is
   * accepted there whatever the data is like (a batch that does not shrink is sent uncompressed).
   */
  get maxRecordBytes(): number {
    return this.#maxBatchBytes - BATCH_HEADER_BYTES;
  }

  /** True while the topic waits for its acknowledgements before it uses new partitions. */
  get isDraining(): boolean {
    return this.#growTo > this.#writers.length;
  }

  takes(record: OutgoingRecord): boolean {
    // The exact size is only looked at where it could matter: without headers the framing takes at most 32 bytes.
    const roughBytes = record.valueEnd - record.valueStart + record.keyEnd - record.keyStart;
    if (roughBytes + FRAMING_BYTES <= this.maxRecordBytes && record.headers.length === 0) return true;
    return loneRecordBytes(record) <= this.maxRecordBytes;
  }

  append(record: OutgoingRecord, ticket: Ticket): boolean {
    this.#host.throwIfFailed();
    if (!this.takes(record)) return false;
    const writer = this.#writers[this.#partitionOf(record)]!;
    const openBefore = writer.openSinceMs;
    const bytes = writer.append(record, ticket, this.#maxBatchBytes);
    const openAfter = writer.openSinceMs;
    const sealed = openAfter === null || (openBefore !== null && openBefore !== openAfter);
    this.#host.appended(writer, bytes, openBefore === null, sealed);
    return true;
  }

  /** Where the partition ended when something was last acknowledged in it; 0 where nothing was. */
  acknowledgedEnd(partition: number): number {
    return this.#endOffsets[partition] ?? 0;
  }

  /** The broker has the batch that ends before `endOffset`. */
  acknowledged(partition: number, endOffset: number): void {
    const known = this.#endOffsets[partition] ?? -1;
    if (endOffset <= known) return;
    this.#endOffsets[partition] = endOffset;
    this.#progressChanged = true;
  }

  /** Continues from what a checkpoint says about partitions that this process has not written to yet. */
  resumeProgress(progress: TopicProgress): void {
    progress.endOffsets.forEach((offset, partition) => {
      if (offset !== null && offset > (this.#endOffsets[partition] ?? -1)) this.#endOffsets[partition] = offset;
    });
  }

  /** Null where nothing was acknowledged since the last call. */
  takeProgress(): TopicProgress | null {
    if (!this.#progressChanged) return null;
    this.#progressChanged = false;
    return { topic: this.name, topicId: this.topicId, endOffsets: [...this.#endOffsets] };
  }

  /** The topic has `partitions` now. @returns true where this is news. */
  grow(partitions: number): boolean {
    if (partitions <= Math.max(this.#growTo, this.#writers.length)) return false;
    this.#growTo = partitions;
    this.#host.drains(this);
    return true;
  }

  /** Uses the new partitions once nothing is on its way to the old ones. @returns true where it does from now on. */
  useNewPartitions(): boolean {
    if (!this.isDraining || !this.#writers.every((writer) => writer.isEmpty)) return false;
    this.#setPartitions(this.#growTo);
    this.#host.drains(this);
    return true;
  }

  #setPartitions(count: number): void {
    while (this.#writers.length < count) {
      this.#writers.push(this.#createWriter(this.#writers.length));
      if (this.#endOffsets.length < this.#writers.length) this.#endOffsets.push(null);
    }
    this.#keylessPartition = partitionOfKeyless(this.name, count);
  }

  #partitionOf(record: OutgoingRecord): number {
    const count = this.#writers.length;
    if (record.partition >= 0) {
      if (record.partition < count) return record.partition;
      throw new FatalError(
        `topic ${this.name} has ${count} partitions, a record was meant for number ${record.partition}`,
        {
          code: 'KAFKA_PARTITION_OUT_OF_RANGE',
          remedy: 'This must not happen: report it.',
        },
      );
    }
    if (record.keyStart < 0) return this.#keylessPartition;
    return count === 1 ? 0 : partitionOfKey(record.bytes, record.keyStart, record.keyEnd, count);
  }
}
