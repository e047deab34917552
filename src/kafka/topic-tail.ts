import type { Clock } from '../core/clock.ts';
import { ConfigurationError, FatalError } from '../core/errors.ts';
import type { KafkaSettings } from '../core/settings.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { Connections } from './connections.ts';
import { kafkaError, kafkaErrorName } from './error-codes.ts';
import { decodeLogBatches, type LogRecord } from './log-batches.ts';
import { fetch } from './protocol/fetch.ts';
import type { TopicMetadata } from './protocol/metadata.ts';
import { retryTransient } from './retry-transient.ts';
import { TopicAdmin } from './topic-admin.ts';

const FETCH_BYTES = 4 * 1024 * 1024;
/** How long a broker may wait for news of the only partition. */
const FETCH_WAIT_MS = 500;
/** Pause after a look at several partitions that brought nothing: a broker answers one after the other. */
const LOOK_AGAIN_MS = 150;
const NEW_PARTITIONS_MS = 10_000;
/** A person is waiting: half a minute of silence from the cluster is enough. */
const PATIENCE_MS = 30_000;
const OFFSET_OUT_OF_RANGE = 1;

interface TailedPartition {
  readonly partition: number;
  offset: number;
}

/**
 * What is written to a topic from now on, by whom ever, in the order of each partition. No consumer group, nothing is
 * committed. Records of transactions that are aborted later are among them: they are shown as they come.
 */
export class TopicTail implements AsyncDisposable {
  readonly #topic: string;
  readonly #connections: Connections;
  readonly #admin: TopicAdmin;
  readonly #clock: Clock;
  readonly #partitions: TailedPartition[] = [];
  readonly #leaders = new Map<number, number>();
  #lookForPartitionsAtMs = 0;

  private constructor(settings: KafkaSettings, topic: string, clock: Clock) {
    const patient = { ...settings, deliveryTimeoutMs: PATIENCE_MS };
    this.#topic = topic;
    this.#connections = new Connections(settings, 'tailrace-tail');
    this.#admin = new TopicAdmin(patient, this.#connections, clock, 'tail');
    this.#clock = clock;
  }

  /**
   * Resolves when it is known where to begin: at the end of each partition, or at the offsets of `from`, a partition beyond
   * them at its beginning.
   * @throws ConfigurationError where there is no such topic.
   */
  static async open(
    settings: KafkaSettings,
    topic: string,
    clock: Clock,
    signal: AbortSignal,
    from: readonly number[] | null = null,
  ): Promise<TopicTail> {
    const tail = new TopicTail(settings, topic, clock);
    try {
      const { partitions } = await tail.#locate(signal);
      if (from !== null) {
        for (const { partition } of partitions) tail.#partitions.push({ partition, offset: from[partition] ?? 0 });
        return tail;
      }
      const ends = (await tail.#admin.endOffsets([topic], signal)).get(topic) ?? [];
      for (const [partition, offset] of ends.entries()) tail.#partitions.push({ partition, offset });
      return tail;
    } catch (error) {
      await tail[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Next offset by partition of what `records` has not given yet. */
  get offsets(): readonly number[] {
    const offsets: number[] = [];
    for (const { partition, offset } of this.#partitions) offsets[partition] = offset;
    return offsets;
  }

  /**
   * Records as they come, one array for each look that brought some. Ends when the signal is aborted.
   * @throws TransientError after half a minute without an answer.
   */
  async *records(signal: AbortSignal): AsyncGenerator<readonly LogRecord[], void, void> {
    while (!signal.aborted) {
      try {
        await this.#addPartitions(signal);
        const waitMs = this.#partitions.length === 1 ? FETCH_WAIT_MS : 0;
        const looks = await Promise.all(this.#partitions.map((each) => this.#read(each, waitMs, signal)));
        const records = looks.flat();
        if (records.length > 0) yield records;
        else if (waitMs === 0) await this.#clock.sleep(LOOK_AGAIN_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
  }

  async #locate(signal: AbortSignal): Promise<TopicMetadata> {
    const found = await this.#admin.find(this.#topic, signal);
    if (found === null) {
      throw new ConfigurationError(`the topic ${this.#topic} does not exist`, {
        code: 'KAFKA_TOPIC_MISSING',
        remedy: 'Topics are made when the first change of a table is published: <topic_prefix>.<schema>.<table>.',
      });
    }
    for (const { partition, leaderId } of found.partitions) this.#leaders.set(partition, leaderId);
    return found;
  }

  /** A partition that was added after the start is read from its beginning. */
  async #addPartitions(signal: AbortSignal): Promise<void> {
    if (this.#clock.nowMs() < this.#lookForPartitionsAtMs) return;
    this.#lookForPartitionsAtMs = this.#clock.nowMs() + NEW_PARTITIONS_MS;
    const { partitions } = await this.#locate(signal);
    const known = new Set(this.#partitions.map(({ partition }) => partition));
    for (const { partition } of partitions) {
      if (!known.has(partition)) this.#partitions.push({ partition, offset: 0 });
    }
  }

  async #read(at: TailedPartition, waitMs: number, signal: AbortSignal): Promise<LogRecord[]> {
    const bytes = await retryTransient(
      async (attempt) => {
        if (attempt > 0) await this.#locate(signal);
        return this.#fetch(at, waitMs, signal);
      },
      PATIENCE_MS,
      this.#clock,
      signal,
    );
    const records: LogRecord[] = [];
    const from = at.offset;
    for (const batch of await decodeLogBatches(bytes, (offset, why) => this.#damaged(at.partition, offset, why))) {
      at.offset = Math.max(at.offset, batch.nextOffset);
      if (batch.control) continue;
      // The first batch may begin before the offset that was asked for.
      for (const record of batch.records) if (record.offset >= from) records.push(record);
    }
    return records;
  }

  async #fetch({ partition, offset }: TailedPartition, maxWaitMs: number, signal: AbortSignal): Promise<Buffer> {
    const connection = await this.#connections.broker(this.#leaders.get(partition) ?? -1, 'data', signal);
    const request = { topic: this.#topic, partition, offset, maxWaitMs, maxBytes: FETCH_BYTES };
    const answer = await untilAborted(connection.request(fetch, request), signal);
    const code = answer.errorCode === 0 ? (answer.partition?.errorCode ?? 0) : answer.errorCode;
    if (code === 0) return answer.partition?.records ?? Buffer.alloc(0);
    const doing = `reading offset ${offset} of ${this.#topic}/${partition}`;
    if (code !== OFFSET_OUT_OF_RANGE) throw kafkaError(code, doing, null, null);
    throw new FatalError(`Kafka answered ${kafkaErrorName(code)} to ${doing}: the topic was cut off or made again`, {
      code: 'KAFKA_TOPIC_REPLACED',
      remedy: 'Start the tail again; it begins at the end that the topic has then.',
    });
  }

  #damaged(partition: number, offset: number, why: string): FatalError {
    return new FatalError(`the batch at offset ${offset} of ${this.#topic}/${partition} is damaged: ${why}`, {
      code: 'KAFKA_BATCH_DAMAGED',
      remedy: 'Look at the disks of the broker and at what lies between it and here.',
    });
  }
}
