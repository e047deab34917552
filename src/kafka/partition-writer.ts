import type { OutgoingRecord } from '../core/sink.ts';
import type { Ticket } from '../core/ticket.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Compressor } from './compression.ts';
import { PartitionQueue, type Waiting } from './partition-queue.ts';
import { MAX_VARINT_BYTES, type ProducerIdentity, RecordBatch } from './record-batch.ts';

/** What the writers of one sink have in common. */
export interface BatchSettings {
  readonly pool: BufferPool;
  readonly producer: ProducerIdentity;
  readonly compressor: Compressor | null;
  /** Size before compression at which a batch is complete. */
  readonly targetBytes: number;
  readonly waiting: Waiting;
}

/** Collects the records of one partition into batches: one open batch at a time, sealed into the queue. */
export class PartitionWriter {
  readonly queue: PartitionQueue;
  readonly #settings: BatchSettings;
  readonly #onReady: (writer: PartitionWriter) => void;
  #open: RecordBatch | null = null;
  #nextIndex = 0;
  #expectedBytes = 0;

  /** `onReady` is called when a batch that was compressed on another thread can be sent. */
  constructor(topic: string, partition: number, settings: BatchSettings, onReady: (writer: PartitionWriter) => void) {
    this.queue = new PartitionQueue(topic, partition, settings.waiting);
    this.#settings = settings;
    this.#onReady = onReady;
  }

  /** When the first record of the open batch came, monotonic milliseconds; null where no batch is open. */
  get openSinceMs(): number | null {
    return this.#open === null ? null : this.#open.createdAtMs;
  }

  /** The oldest batch that is not acknowledged, the open one included. */
  get oldest(): RecordBatch | null {
    return this.queue.oldest ?? this.#open;
  }

  get isEmpty(): boolean {
    return this.#open === null && this.queue.isEmpty;
  }

  /**
   * Appends a record that is known to fit into the topic.
   * @param maxBatchBytes what the topic takes
   * @returns bytes that it takes of the budget.
   */
  append(record: OutgoingRecord, ticket: Ticket, maxBatchBytes: number): number {
    const limit = Math.min(this.#settings.targetBytes, maxBatchBytes);
    let batch = this.#open;
    let body = 0;
    if (batch !== null) {
      body = batch.bodyBytes(record);
      if (batch.accountedBytes + MAX_VARINT_BYTES + body > limit) {
        this.seal();
        batch = null;
      }
    }
    let before = 0;
    if (batch === null) {
      batch = new RecordBatch(this.#settings.pool, this.#nextIndex++, performance.now(), this.#expectedBytes);
      this.#open = batch;
      body = batch.bodyBytes(record);
    } else {
      before = batch.accountedBytes;
    }
    batch.append(record, body, ticket);
    if (batch.accountedBytes >= limit) this.seal();
    return batch.accountedBytes - before;
  }

  /** Moves the open batch, if there is one, to the queue. */
  seal(): void {
    const batch = this.#open;
    if (batch === null) return;
    this.#open = null;
    const { producer, compressor, targetBytes } = this.#settings;
    // Half of the last guess is kept: a quiet moment must not make the next busy one grow its buffers from the start.
    this.#expectedBytes = Math.min(targetBytes, Math.max(batch.accountedBytes, this.#expectedBytes >>> 1));
    this.queue.enqueue(batch);
    batch.seal(producer, this.queue.takeSequence(batch.count), compressor, () => this.#onReady(this));
  }
}
