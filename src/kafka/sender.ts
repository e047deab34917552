import type { Clock } from '../core/clock.ts';
import { ResyncRequiredError, TransientError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { KafkaSettings } from '../core/settings.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { type BatchOutcome, BrokerSender, type SenderHost } from './broker-sender.ts';
import type { Connections } from './connections.ts';
import { isRetriable, KafkaCode, kafkaError, kafkaErrorKind, kafkaErrorName } from './error-codes.ts';
import type { FreezeWatch } from './freeze-watch.ts';
import type { KafkaTopic } from './kafka-topic.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { BrokerAddress, PartitionMetadata, TopicMetadata } from './protocol/metadata.ts';
import type { RecordBatch } from './record-batch.ts';
import type { TopicAdmin } from './topic-admin.ts';

const DEADLINE_CHECK_MS = 250;
/** How often the partition counts are looked at while nothing else asks for metadata. */
const METADATA_MAX_AGE_MS = 60_000;
const REFRESH_PAUSE_MS = 50;
const REFRESH_PAUSE_MAX_MS = 1_000;

export interface SenderDependencies {
  readonly settings: KafkaSettings;
  readonly source: string;
  readonly connections: Connections;
  readonly admin: TopicAdmin;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The batch is in the log; its memory is given back when this returns. */
  readonly onAcknowledged: (batch: RecordBatch) => void;
  readonly onFailure: (error: unknown) => void;
  readonly onRequest: (seconds: number) => void;
  readonly watch: FreezeWatch;
  /** Asked after the process stood still; rejects where another process may own the source by now. */
  readonly confirmOwnership: (signal: AbortSignal) => Promise<void>;
}

/**
 * The idempotent producer of one source: knows who leads which partition, hands each partition to the sender of its
 * broker, and decides what an answer means. Any failure that sending again cannot cure ends it: the source then starts
 * from its checkpoint with a new producer identity.
 */
export class Sender implements SenderHost {
  readonly #dependencies: SenderDependencies;
  readonly #brokers = new Map<number, BrokerSender>();
  readonly #topics = new Map<string, KafkaTopic>();
  readonly #stopped = new AbortController();
  readonly #deadlines: NodeJS.Timeout;
  #refreshing = false;
  /** Somebody asked after the last metadata request was sent. */
  #refreshWanted = false;
  #refreshedAtMs = performance.now();
  /** As many times the process had stood still when ownership was last certain. */
  #confirmedGaps: number;
  #confirming = false;

  constructor(dependencies: SenderDependencies) {
    this.#dependencies = dependencies;
    this.#confirmedGaps = dependencies.watch.gaps;
    this.#deadlines = setInterval(() => this.#checkDeadlines(), DEADLINE_CHECK_MS);
    this.#deadlines.unref();
  }

  add(topic: KafkaTopic, leaders: readonly PartitionMetadata[]): void {
    this.#topics.set(topic.name, topic);
    this.#applyLeaders(topic, leaders);
  }

  /** The writer has a new open batch, or a complete one. */
  wake(writer: PartitionWriter, complete: boolean): void {
    if (this.#stopped.signal.aborted) return;
    const broker = this.#brokerOf(writer);
    if (broker === null) {
      this.#refreshMetadata();
      return;
    }
    broker.activate(writer);
    if (complete) broker.pump(false);
  }

  /** Sends what is open without waiting for more. */
  flush(): void {
    for (const broker of this.#brokers.values()) broker.pump(true);
  }

  maySend(): boolean {
    if (this.#dependencies.watch.gaps === this.#confirmedGaps) return true;
    this.#confirmOwnership();
    return false;
  }

  /** Sends nothing more, at once. */
  stop(): void {
    this.#stopped.abort();
    clearInterval(this.#deadlines);
    for (const broker of this.#brokers.values()) broker.close();
  }

  connect(nodeId: number): Promise<BrokerConnection> {
    return this.#dependencies.connections.broker(nodeId, 'data', this.#stopped.signal);
  }

  learn(brokers: readonly BrokerAddress[]): void {
    this.#dependencies.connections.learn(brokers);
  }

  unreachable(): void {
    this.#refreshMetadata();
  }

  observeRequest(seconds: number): void {
    this.#dependencies.onRequest(seconds);
  }

  fail(error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    this.stop();
    this.#dependencies.onFailure(error);
  }

  /** What was buffered when the process froze waits until nobody can have taken the source over meanwhile. */
  #confirmOwnership(): void {
    if (this.#confirming || this.#stopped.signal.aborted) return;
    this.#confirming = true;
    const { watch, logger, confirmOwnership } = this.#dependencies;
    const gaps = watch.gaps;
    logger.warn({}, 'this process stood still; nothing is sent until it is certain that the source is still its own');
    confirmOwnership(this.#stopped.signal).then(
      () => {
        this.#confirming = false;
        this.#confirmedGaps = gaps;
        this.flush();
      },
      (error: unknown) => this.fail(error),
    );
  }

  isExpired(writer: PartitionWriter, batch: RecordBatch, nowMs: number): boolean {
    const { deliveryTimeoutMs } = this.#dependencies.settings;
    if (nowMs - batch.createdAtMs <= deliveryTimeoutMs) return false;
    const { key, lastErrorCode } = writer.queue;
    const last = lastErrorCode === 0 ? '' : `; the last answer was ${kafkaErrorName(lastErrorCode)}`;
    this.fail(
      new TransientError(`Kafka did not acknowledge records for ${key} within ${deliveryTimeoutMs} ms${last}`, {
        code: 'KAFKA_DELIVERY_TIMEOUT',
        remedy: 'The source starts again from its checkpoint; check the brokers and min.insync.replicas of the topic.',
        source: this.#dependencies.source,
      }),
    );
    return true;
  }

  settled(writer: PartitionWriter, batch: RecordBatch, outcome: BatchOutcome): void {
    if (this.#stopped.signal.aborted) return;
    const { queue } = writer;
    const { code } = outcome;
    const kind = kafkaErrorKind(code);
    if (code === KafkaCode.none || kind === 'duplicate') {
      this.#acknowledged(writer, batch, outcome.baseOffset);
    } else if (isRetriable(code) || (kind === 'out-of-order' && queue.isBehindUnresolved(batch))) {
      this.#takeHint(writer, outcome);
      const followed = kind === 'moved' && queue.hasMoved;
      queue.failed(batch, code, performance.now(), followed);
      if (kind === 'moved' && !followed) this.#refreshMetadata();
    } else {
      void this.#refused(writer, batch, outcome);
      return;
    }
    if (queue.hasQueued || writer.openSinceMs !== null) this.#brokerOf(writer)?.activate(writer);
  }

  #acknowledged(writer: PartitionWriter, batch: RecordBatch, baseOffset: number): void {
    const { queue } = writer;
    const topic = this.#topics.get(queue.topic)!;
    if (baseOffset >= 0 && queue.isNewest(batch) && baseOffset < topic.acknowledgedEnd(queue.partition)) {
      this.fail(shortened(topic, queue.partition, baseOffset, this.#dependencies.source));
      return;
    }
    queue.acknowledged(batch);
    if (baseOffset >= 0) topic.acknowledged(queue.partition, baseOffset + batch.count);
    if (topic.isDraining && topic.useNewPartitions()) this.#refreshMetadata();
    for (const ticket of batch.tickets) ticket.release();
    this.#dependencies.onAcknowledged(batch);
    batch.recycle();
  }

  async #refused(writer: PartitionWriter, batch: RecordBatch, { code, detail }: BatchOutcome): Promise<void> {
    const { source, admin } = this.#dependencies;
    const { topic: name, partition } = writer.queue;
    const doing = `producing to topic ${name}, partition ${partition}`;
    const kind = kafkaErrorKind(code);
    // The identity of this producer is its own (no transactional id): nobody can have taken it over.
    if (kind === 'fenced' || kind === 'out-of-order') {
      this.fail(
        new TransientError(`Kafka answered ${kafkaErrorName(code)} (${code}) to ${doing}`, {
          code: `KAFKA_${kafkaErrorName(code)}`,
          remedy: 'The source starts again from its checkpoint with a new producer identity.',
          source,
        }),
      );
      return;
    }
    if (kind === 'too-large') {
      // A limit that was lowered meanwhile is read again at the restart: then the record itself is found and named.
      const limit = await admin.maxMessageBytes(name, this.#stopped.signal).catch(() => null);
      if (limit !== null && batch.accountedBytes > limit) {
        this.fail(
          new TransientError(`topic ${name} now takes at most ${limit} bytes, less than when it was opened`, {
            code: 'KAFKA_MAX_MESSAGE_BYTES_LOWERED',
            remedy: 'The source starts again from its checkpoint and judges every record by the new limit.',
            source,
          }),
        );
        return;
      }
    }
    this.fail(kafkaError(code, doing, detail, source));
  }

  /** Follows an answer that names a newer leader whose address is known. */
  #takeHint(writer: PartitionWriter, { leaderId, leaderEpoch }: BatchOutcome): void {
    if (leaderId < 0 || leaderEpoch <= writer.queue.leaderEpoch) return;
    if (this.#dependencies.connections.knows(leaderId)) this.#setLeader(writer, leaderId, leaderEpoch);
  }

  #setLeader(writer: PartitionWriter, leaderId: number, leaderEpoch: number): void {
    const { queue } = writer;
    if (leaderEpoch < queue.leaderEpoch) return;
    queue.leaderEpoch = leaderEpoch;
    if (queue.leaderId !== leaderId) {
      this.#brokers.get(queue.leaderId)?.deactivate(writer);
      queue.leaderId = leaderId;
    }
    if (queue.hasQueued || writer.openSinceMs !== null) this.#brokerOf(writer)?.activate(writer);
  }

  #brokerOf(writer: PartitionWriter): BrokerSender | null {
    const nodeId = writer.queue.leaderId;
    if (nodeId < 0) return null;
    let broker = this.#brokers.get(nodeId);
    if (broker === undefined) {
      // The broker gives up on its replicas before we give up on the broker.
      broker = new BrokerSender(nodeId, this, Math.floor(this.#dependencies.settings.requestTimeoutMs * 0.8));
      this.#brokers.set(nodeId, broker);
    }
    return broker;
  }

  #applyLeaders(topic: KafkaTopic, partitions: readonly PartitionMetadata[]): void {
    for (const { partition, leaderId, leaderEpoch } of partitions) {
      const writer = topic.writers[partition];
      if (writer !== undefined && leaderId >= 0) this.#setLeader(writer, leaderId, leaderEpoch);
    }
  }

  /** Asks until every partition with something to send has a leader. One round at a time. */
  #refreshMetadata(): void {
    this.#refreshWanted = true;
    if (this.#refreshing || this.#stopped.signal.aborted || this.#topics.size === 0) return;
    this.#refreshing = true;
    this.#refreshUntilLed()
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#refreshing = false;
      });
  }

  async #refreshUntilLed(): Promise<void> {
    const { admin, clock } = this.#dependencies;
    const { signal } = this.#stopped;
    for (let attempt = 0; !signal.aborted; attempt++) {
      let led = false;
      this.#refreshWanted = false;
      try {
        const answer = await admin.metadata([...this.#topics.keys()], signal);
        led = this.#applyMetadata(answer.topics);
      } catch (error) {
        if (!(error instanceof TransientError) && !signal.aborted) throw error;
      }
      this.#refreshedAtMs = performance.now();
      const bound = Math.min(REFRESH_PAUSE_MAX_MS, REFRESH_PAUSE_MS * 2 ** Math.min(attempt, 10));
      await clock.sleep(bound, signal).catch(() => {});
      if (led && !this.#refreshWanted) return;
    }
  }

  #applyMetadata(topics: readonly TopicMetadata[]): boolean {
    let led = true;
    for (const found of topics) {
      const topic = this.#topics.get(found.name);
      if (topic === undefined) continue;
      if (found.errorCode !== KafkaCode.none) {
        led = false;
        continue;
      }
      if (found.topicId !== topic.topicId) throw recreated(topic, found, this.#dependencies.source);
      if (topic.grow(found.partitions.length)) {
        this.#dependencies.logger.warn(
          { topic: topic.name, partitions: found.partitions.length, before: topic.writers.length },
          'the topic got more partitions: it is drained, then keys are spread over all of them',
        );
      }
      topic.useNewPartitions();
      this.#applyLeaders(topic, found.partitions);
      if (topic.writers.some((writer) => !writer.isEmpty && writer.queue.leaderId < 0)) led = false;
    }
    return led;
  }

  #checkDeadlines(): void {
    const nowMs = performance.now();
    for (const topic of this.#topics.values()) {
      for (const writer of topic.writers) {
        const { oldest } = writer;
        if (oldest !== null && this.isExpired(writer, oldest, nowMs)) return;
      }
    }
    if (nowMs - this.#refreshedAtMs > METADATA_MAX_AGE_MS) this.#refreshMetadata();
  }
}

/**
 * Requests name their topic, and a broker that knows nothing of a producer takes any sequence number: a topic that was made
 * again takes the next batch without a word. Only its offset tells.
 */
function shortened(topic: KafkaTopic, partition: number, offset: number, source: string): ResyncRequiredError {
  return new ResyncRequiredError(
    `topic ${topic.name} took a batch at offset ${offset} of partition ${partition}, where ${topic.acknowledgedEnd(partition)} ` +
      'was acknowledged: it was deleted and made again, or cut short, and records that were published are lost',
    { code: 'KAFKA_RECORDS_LOST', remedy: `Take a new snapshot: tailrace resync ${source}.`, source },
  );
}

function recreated(topic: KafkaTopic, found: TopicMetadata, source: string): ResyncRequiredError {
  return new ResyncRequiredError(
    `topic ${topic.name} was deleted and made again (id ${found.topicId}, it was ${topic.topicId}): its records are lost`,
    { code: 'KAFKA_TOPIC_RECREATED', remedy: `Take a new snapshot: tailrace resync ${source}.`, source },
  );
}
