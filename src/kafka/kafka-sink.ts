import type { TopicProgress } from '../core/checkpoint.ts';
import type { Clock } from '../core/clock.ts';
import { ResyncRequiredError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { Metrics } from '../core/metrics.ts';
import type { KafkaSettings } from '../core/settings.ts';
import type { Sink, SinkTopic } from '../core/sink.ts';
import { abortable } from './abortable.ts';
import { BufferPool } from './buffer-pool.ts';
import { createCompressor } from './compression.ts';
import { Connections } from './connections.ts';
import { KafkaCode, kafkaError } from './error-codes.ts';
import { FreezeWatch } from './freeze-watch.ts';
import { KafkaTopic } from './kafka-topic.ts';
import { type BatchSettings, PartitionWriter } from './partition-writer.ts';
import { initProducerId } from './protocol/init-producer-id.ts';
import type { ProducerIdentity } from './record-batch.ts';
import { retryTransient } from './retry-transient.ts';
import { Sender } from './sender.ts';
import { TopicAdmin } from './topic-admin.ts';

export interface KafkaSinkOptions {
  readonly settings: KafkaSettings;
  readonly source: string;
  /** Bytes that may be appended and not acknowledged before `ready` waits; it also waits for what was not sent. */
  readonly budgetBytes: number;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Size before compression at which a batch is complete; unless told 512 KiB, and 128 KiB where nothing compresses it. */
  readonly batchBytes?: number;
  /**
   * Called after the process stood still, before anything more is sent. Rejects where another process may own the source
   * by now: the sink then fails with that error.
   */
  readonly confirmOwnership?: (signal: AbortSignal) => Promise<void>;
  /** Standing still for longer than this asks for a confirmation; 5 s unless told. */
  readonly frozenAfterMs?: number;
}

/** Compresses to some 128 KiB, which is what a broker handles at the least cost: see docs/decisions/0003-own-kafka-sender.md. */
const COMPRESSED_BATCH_BYTES = 512 * 1024;
const PLAIN_BATCH_BYTES = 128 * 1024;
/**
 * Complete batches that wait for their turn. A broker takes a few at a time: more of them would be memory for nothing, and
 * older when they are sent.
 */
const WAITING_BYTES = 8 * 1024 * 1024;
/** Buffers that are kept while they are not used: enough for what an answer frees before the next batches are sealed. */
const RETAINED_BYTES = 4 * 1024 * 1024;

/**
 * Connects and gets a producer identity of its own.
 * @throws TransientError where no broker answers within the delivery timeout, ConfigurationError where one refuses us.
 */
export async function createKafkaSink(options: KafkaSinkOptions, signal: AbortSignal): Promise<KafkaSink> {
  const { settings, source, clock } = options;
  const connections = new Connections(settings, `tailrace-${source}`);
  try {
    const compressor = await createCompressor(settings.compression);
    const producer = await retryTransient(
      () => acquireIdentity(connections, source, signal),
      settings.deliveryTimeoutMs,
      clock,
      signal,
    );
    const targetBytes = options.batchBytes ?? (compressor === null ? PLAIN_BATCH_BYTES : COMPRESSED_BATCH_BYTES);
    const pool = new BufferPool(targetBytes, Math.min(options.budgetBytes, RETAINED_BYTES));
    return new KafkaSink(options, connections, { pool, producer, compressor, targetBytes, waiting: { bytes: 0 } });
  } catch (error) {
    await connections[Symbol.asyncDispose]();
    throw error;
  }
}

async function acquireIdentity(
  connections: Connections,
  source: string,
  signal: AbortSignal,
): Promise<ProducerIdentity> {
  const connection = await connections.any(signal);
  const answer = await connection.request(initProducerId, { transactionalId: null, transactionTimeoutMs: 60_000 });
  if (answer.errorCode !== KafkaCode.none) throw kafkaError(answer.errorCode, 'asking for a producer id', null, source);
  return { id: answer.producerId, epoch: answer.producerEpoch };
}

interface Waiter {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The records of one source on their way into Kafka: at least once, each partition in order and without repetition. */
export class KafkaSink implements Sink {
  readonly failure: Promise<never>;
  readonly #options: KafkaSinkOptions;
  readonly #connections: Connections;
  readonly #batches: BatchSettings;
  readonly #admin: TopicAdmin;
  readonly #watch: FreezeWatch;
  readonly #sender: Sender;
  readonly #topics = new Map<string, Promise<KafkaTopic>>();
  readonly #opened: KafkaTopic[] = [];
  /** Topics that wait before they use new partitions. Kept: it is asked with every acknowledgement while there is no room. */
  readonly #draining = new Set<KafkaTopic>();
  readonly #resumed = new Map<string, TopicProgress>();
  readonly #disposed = new AbortController();
  readonly #waiters = new Set<Waiter>();
  readonly #publishedBytes: { add(value: number): void };
  readonly #rejectFailure: (error: unknown) => void;
  #failed: { readonly error: unknown } | null = null;
  #inFlightBytes = 0;
  /** Of the records that are larger than a batch and in flight, the largest; 0 where there is none. */
  #largestBytes = 0;

  /** Use `createKafkaSink`. */
  constructor(options: KafkaSinkOptions, connections: Connections, batches: BatchSettings) {
    const { settings, source, metrics, logger, clock } = options;
    this.#options = options;
    this.#connections = connections;
    this.#batches = batches;
    this.#admin = new TopicAdmin(settings, connections, clock, source);
    this.#publishedBytes = metrics.counter('tailrace_published_bytes_total').bind({ source });
    const requestSeconds = metrics.histogram('tailrace_kafka_request_seconds').bind({});
    const failure = Promise.withResolvers<never>();
    failure.promise.catch(() => {});
    this.failure = failure.promise;
    this.#rejectFailure = failure.reject;
    this.#watch = new FreezeWatch(options.frozenAfterMs);
    this.#sender = new Sender({
      settings,
      source,
      connections,
      admin: this.#admin,
      clock,
      logger,
      onAcknowledged: (batch) => {
        this.#inFlightBytes -= batch.accountedBytes;
        if (batch.accountedBytes >= this.#largestBytes) this.#largestBytes = 0;
        this.#publishedBytes.add(batch.payloadBytes);
        this.#wakeWaiters();
      },
      onFailure: (error) => this.#fail(error),
      onRequest: (seconds) => requestSeconds.observe(seconds, 1),
      watch: this.#watch,
      confirmOwnership: options.confirmOwnership ?? (() => Promise.resolve()),
    });
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  topic(name: string, signal: AbortSignal): Promise<SinkTopic> {
    let opening = this.#topics.get(name);
    if (opening === undefined) {
      // Shared by all callers, so it ends with the sink and not with the first caller's patience.
      opening = this.#openTopic(name, this.#disposed.signal);
      this.#topics.set(name, opening);
      opening.catch(() => this.#topics.delete(name));
    }
    return abortable(opening, signal);
  }

  async verifyProgress(progress: readonly TopicProgress[], signal: AbortSignal): Promise<void> {
    const names = progress.map(({ topic }) => topic);
    const found = await this.#admin.findAll(names, signal);
    for (const recorded of progress) {
      const topic = found.get(recorded.topic);
      if (topic === undefined) throw this.#lost(recorded, 'KAFKA_TOPIC_MISSING', 'does not exist any more');
      if (recorded.topicId !== '' && topic.topicId !== '' && topic.topicId !== recorded.topicId) {
        throw this.#lost(recorded, 'KAFKA_TOPIC_RECREATED', 'was deleted and made again');
      }
    }
    const ends = await this.#admin.endOffsets(names, signal);
    for (const recorded of progress) {
      this.#verifyEnds(recorded, ends.get(recorded.topic) ?? []);
      this.#resumed.set(recorded.topic, recorded);
      (await this.#topics.get(recorded.topic))?.resumeProgress(recorded);
    }
  }

  takeProgress(): readonly TopicProgress[] {
    const progress: TopicProgress[] = [];
    for (const topic of this.#opened) {
      const changed = topic.takeProgress();
      if (changed !== null) progress.push(changed);
    }
    return progress;
  }

  async flush(signal: AbortSignal): Promise<void> {
    this.#sender.flush();
    await this.#until(() => this.#inFlightBytes === 0, signal);
  }

  async ready(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#hasRoom(), signal);
  }

  /** Closes every socket at once: what is not acknowledged is sent again after the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.#watch.stop();
    this.#sender.stop();
    this.#rejectWaiters(this.#disposed.signal.reason);
    await this.#connections[Symbol.asyncDispose]();
  }

  async #openTopic(name: string, signal: AbortSignal): Promise<KafkaTopic> {
    const found = await this.#admin.findOrCreate(name, signal);
    const maxBatchBytes = await this.#admin.maxMessageBytesOrDefault(name, signal);
    const host = {
      throwIfFailed: () => this.#throwIfFailed(),
      appended: (writer: PartitionWriter, bytes: number, opened: boolean, sealed: boolean) => {
        this.#inFlightBytes += bytes;
        if (bytes > this.#batches.targetBytes && bytes > this.#largestBytes) this.#largestBytes = bytes;
        if (opened || sealed) this.#sender.wake(writer, sealed);
      },
      drains: (changed: KafkaTopic) => {
        if (changed.isDraining) this.#draining.add(changed);
        else this.#draining.delete(changed);
      },
    };
    const onReady = (writer: PartitionWriter): void => this.#sender.wake(writer, true);
    const topic = new KafkaTopic(
      name,
      found.topicId,
      found.partitions.length,
      maxBatchBytes,
      host,
      (partition) => new PartitionWriter(name, partition, this.#batches, onReady),
    );
    const resumed = this.#resumed.get(name);
    if (resumed !== undefined) topic.resumeProgress(resumed);
    this.#opened.push(topic);
    this.#sender.add(topic, found.partitions);
    return topic;
  }

  #verifyEnds(recorded: TopicProgress, ends: readonly number[]): void {
    recorded.endOffsets.forEach((offset, partition) => {
      const end = ends[partition] ?? 0;
      if (offset === null || end >= offset) return;
      throw this.#lost(
        recorded,
        'KAFKA_RECORDS_LOST',
        `ends at offset ${end} in partition ${partition}, where ${offset} was acknowledged`,
      );
    });
  }

  #lost(recorded: TopicProgress, code: string, what: string): ResyncRequiredError {
    const { source } = this.#options;
    return new ResyncRequiredError(`topic ${recorded.topic} ${what}: records that were published are lost`, {
      code,
      remedy: `Take a new snapshot: tailrace resync ${source}.`,
      source,
    });
  }

  /** Large records rarely come alone: there must be room for one more of the size, so the largest of all go one by one. */
  #hasRoom(): boolean {
    const { budgetBytes } = this.#options;
    if (this.#largestBytes > 0 && this.#inFlightBytes + this.#largestBytes > budgetBytes) return false;
    if (this.#inFlightBytes >= budgetBytes || this.#batches.waiting.bytes >= WAITING_BYTES) return false;
    return this.#draining.size === 0;
  }

  async #until(isOver: () => boolean, signal: AbortSignal): Promise<void> {
    this.#throwIfFailed();
    signal.throwIfAborted();
    if (isOver()) return;
    const over = Promise.withResolvers<void>();
    const waiter = { isOver, resolve: over.resolve, reject: over.reject };
    this.#waiters.add(waiter);
    try {
      await abortable(over.promise, signal);
    } finally {
      this.#waiters.delete(waiter);
    }
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) if (waiter.isOver()) waiter.resolve();
  }

  #throwIfFailed(): void {
    if (this.#failed !== null) throw this.#failed.error;
    this.#disposed.signal.throwIfAborted();
  }

  #fail(error: unknown): void {
    if (this.#failed !== null) return;
    this.#failed = { error };
    this.#rejectFailure(error);
    this.#rejectWaiters(error);
  }

  #rejectWaiters(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
