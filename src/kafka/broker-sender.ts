import { ConfigurationError } from '../core/errors.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { MISSING_IN_RESPONSE } from './error-codes.ts';
import type { PartitionWriter } from './partition-writer.ts';
import type { BrokerAddress } from './protocol/metadata.ts';
import {
  type ProducePartitionResponse,
  type ProduceResponse,
  type ProduceTopic,
  produce,
  produceChunks,
} from './protocol/produce.ts';
import type { RecordBatch } from './record-batch.ts';

/** What a broker remembers of a producer and partition: beyond it, a repeated batch would not be recognised. */
const MAX_REQUESTS_IN_FLIGHT = 5;
/**
 * Batches of several partitions share a request up to this; one larger batch goes alone. A broker reads a request into one
 * piece of memory, and from half a megabyte on that is dear to a Java heap of usual size.
 */
const MAX_REQUEST_BYTES = 448 * 1024;
const LINGER_MS = 5;
const MIN_RECONNECT_MS = 50;
const MAX_RECONNECT_MS = 1_000;
const NETWORK_EXCEPTION = 13;

/** What a broker said about one batch. */
export interface BatchOutcome {
  readonly code: number;
  readonly baseOffset: number;
  readonly detail: string | null;
  /** The new leader where the answer names one, else -1. */
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/** The sender that a broker's sender works for. */
export interface SenderHost {
  connect(nodeId: number): Promise<BrokerConnection>;
  settled(writer: PartitionWriter, batch: RecordBatch, outcome: BatchOutcome): void;
  /** Addresses named in an answer. */
  learn(brokers: readonly BrokerAddress[]): void;
  /** The broker could not be reached: someone else may lead its partitions by now. */
  unreachable(nodeId: number): void;
  /** True where the batch has waited longer than the delivery timeout; the sink has failed then. */
  isExpired(writer: PartitionWriter, batch: RecordBatch, nowMs: number): boolean;
  /** False while it is not known whether the source is still ours; all brokers are pumped once it is. */
  maySend(): boolean;
  observeRequest(seconds: number): void;
  fail(error: unknown): void;
}

interface SentBatch {
  readonly writer: PartitionWriter;
  readonly batch: RecordBatch;
}

/**
 * Sends the batches of all partitions that one broker leads, combined into requests, up to five of them unanswered. While
 * nothing is in flight whatever there is goes out at once; otherwise an open batch fills until an answer comes or 5 ms
 * have passed.
 */
export class BrokerSender {
  readonly nodeId: number;
  readonly #host: SenderHost;
  readonly #produceTimeoutMs: number;
  /** Writers with something open or queued. */
  readonly #active = new Set<PartitionWriter>();
  #connection: BrokerConnection | null = null;
  #connecting = false;
  #reconnects = 0;
  #requestsInFlight = 0;
  /** Nothing is sent before: the broker throttles us, or it just refused a connection. */
  #pausedUntilMs = 0;
  #soon: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(nodeId: number, host: SenderHost, produceTimeoutMs: number) {
    this.nodeId = nodeId;
    this.#host = host;
    this.#produceTimeoutMs = produceTimeoutMs;
  }

  /** The writer has something to send, and this broker leads its partition. */
  activate(writer: PartitionWriter): void {
    this.#active.add(writer);
    if (this.#requestsInFlight === 0) this.#pumpSoon();
    else this.#wakeAt(performance.now() + LINGER_MS);
  }

  /** Another broker leads the partition now. */
  deactivate(writer: PartitionWriter): void {
    this.#active.delete(writer);
  }

  /** Sends what may be sent now. `flushOpen`: batches that are not full too. */
  pump(flushOpen: boolean): void {
    if (this.#closed || this.#active.size === 0) return;
    const nowMs = performance.now();
    if (nowMs < this.#pausedUntilMs) {
      this.#wakeAt(this.#pausedUntilMs);
      return;
    }
    const connection = this.#usableConnection();
    if (connection === null || !this.#host.maySend()) return;
    while (this.#requestsInFlight < MAX_REQUESTS_IN_FLIGHT && !this.#closed) {
      const batches = this.#collect(nowMs, flushOpen || this.#requestsInFlight === 0);
      if (batches.length === 0) break;
      this.#send(connection, batches, nowMs);
    }
  }

  /** Sends nothing more. The connection belongs to the pool. */
  close(): void {
    this.#closed = true;
    this.#active.clear();
    if (this.#soon !== null) clearImmediate(this.#soon);
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** At most one batch of each partition: a request must not have more. */
  #collect(nowMs: number, flushOpen: boolean): SentBatch[] {
    const taken: SentBatch[] = [];
    let bytes = 0;
    for (const writer of this.#active) {
      const { queue } = writer;
      const openSinceMs = writer.openSinceMs;
      if (openSinceMs !== null && !queue.hasQueued && !queue.isRecovering) {
        if (flushOpen || openSinceMs + LINGER_MS <= nowMs) writer.seal();
        else this.#wakeAt(openSinceMs + LINGER_MS);
      }
      const batch = queue.peekSendable(nowMs);
      if (batch === null) {
        if (queue.retryAtMs > nowMs) this.#wakeAt(queue.retryAtMs);
        continue;
      }
      const size = batch.wire!.length;
      if (bytes > 0 && bytes + size > MAX_REQUEST_BYTES) break;
      if (this.#host.isExpired(writer, batch, nowMs)) return [];
      queue.sent();
      taken.push({ writer, batch });
      bytes += size;
    }
    for (const { writer } of taken) {
      // Behind the others, so that every partition gets its turn when a request is full.
      this.#active.delete(writer);
      if (writer.queue.hasQueued || writer.openSinceMs !== null) this.#active.add(writer);
    }
    return taken;
  }

  #send(connection: BrokerConnection, batches: readonly SentBatch[], nowMs: number): void {
    this.#requestsInFlight += 1;
    const chunks = produceChunks({
      transactionalId: null,
      timeoutMs: this.#produceTimeoutMs,
      topics: groupByTopic(batches),
    });
    connection.send(produce, connection.version(produce), chunks).then(
      (answer) => this.#guard(() => this.#answered(batches, answer, nowMs)),
      (error: unknown) => this.#guard(() => this.#lost(batches, error)),
    );
  }

  #answered(batches: readonly SentBatch[], answer: ProduceResponse, sentAtMs: number): void {
    const nowMs = performance.now();
    this.#requestsInFlight -= 1;
    this.#host.observeRequest((nowMs - sentAtMs) / 1000);
    if (answer.throttleTimeMs > 0) this.#pausedUntilMs = nowMs + answer.throttleTimeMs;
    if (answer.brokers.length > 0) this.#host.learn(answer.brokers);
    const answers = new Map(answer.partitions.map((each) => [`${each.topic}/${each.partition}`, each]));
    for (const { writer, batch } of batches) {
      this.#host.settled(writer, batch, outcomeOf(answers.get(writer.queue.key)));
    }
    this.pump(true);
  }

  /** The socket is closed: the broker may or may not have taken the batches. */
  #lost(batches: readonly SentBatch[], error: unknown): void {
    this.#requestsInFlight -= 1;
    const detail = error instanceof Error ? error.message : null;
    for (const { writer, batch } of batches) {
      this.#host.settled(writer, batch, {
        code: NETWORK_EXCEPTION,
        baseOffset: -1,
        detail,
        leaderId: -1,
        leaderEpoch: -1,
      });
    }
    this.pump(true);
  }

  #usableConnection(): BrokerConnection | null {
    const connection = this.#connection;
    if (connection?.usable) {
      if (!connection.retiring) return connection;
      // Its session ends: the answers still in flight come first, so that order is kept.
      if (this.#requestsInFlight > 0) return null;
    }
    if (this.#requestsInFlight === 0 && !this.#connecting) this.#connect();
    return null;
  }

  #connect(): void {
    this.#connecting = true;
    this.#host.connect(this.nodeId).then(
      (connection) => {
        this.#connecting = false;
        this.#reconnects = 0;
        this.#connection = connection;
        this.#guard(() => this.pump(true));
      },
      (error: unknown) => {
        this.#connecting = false;
        if (this.#closed) return;
        if (error instanceof ConfigurationError) {
          this.#host.fail(error);
          return;
        }
        const bound = Math.min(MAX_RECONNECT_MS, MIN_RECONNECT_MS * 2 ** Math.min(this.#reconnects++, 10));
        this.#pausedUntilMs = performance.now() + bound * (0.5 + Math.random() / 2);
        this.#wakeAt(this.#pausedUntilMs);
        this.#host.unreachable(this.nodeId);
      },
    );
  }

  #pumpSoon(): void {
    // After the records that are being appended right now: they should share a batch.
    this.#soon ??= setImmediate(() => {
      this.#soon = null;
      this.#guard(() => this.pump(false));
    });
  }

  #wakeAt(atMs: number): void {
    if (this.#closed || atMs >= this.#timerAtMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#timerAtMs = Number.POSITIVE_INFINITY;
        this.#guard(() => this.pump(false));
      },
      Math.max(1, Math.ceil(atMs - performance.now())),
    );
    this.#timer.unref();
  }

  /** An exception here would be nobody's: it ends the sink. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#host.fail(error);
    }
  }
}

function groupByTopic(batches: readonly SentBatch[]): ProduceTopic[] {
  const topics = new Map<string, { partition: number; records: Buffer }[]>();
  for (const { writer, batch } of batches) {
    const { topic, partition } = writer.queue;
    const partitions = topics.get(topic);
    const entry = { partition, records: batch.wire! };
    if (partitions === undefined) topics.set(topic, [entry]);
    else partitions.push(entry);
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}

/** A partition that the answer leaves out counts as failed: kafkajs took it for a success and lost records. */
function outcomeOf(answer: ProducePartitionResponse | undefined): BatchOutcome {
  if (answer === undefined) {
    return { code: MISSING_IN_RESPONSE, baseOffset: -1, detail: null, leaderId: -1, leaderEpoch: -1 };
  }
  const { errorCode, baseOffset, errorMessage, leaderId, leaderEpoch } = answer;
  return { code: errorCode, baseOffset, detail: errorMessage, leaderId, leaderEpoch };
}
