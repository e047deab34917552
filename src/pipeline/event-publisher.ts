import type { ChangeBatch, LogicalMessage, TransactionBegin } from '../core/change-batch.ts';
import type {
  HeartbeatEncoder,
  MessageEncoder,
  RecordEncoder,
  SchemaChangeEncoder,
  TransactionEncoder,
} from '../core/encoder.ts';
import { PoisonChangeError } from '../core/errors.ts';
import type { Metrics } from '../core/metrics.ts';
import type { SchemaChange } from '../core/schema-change.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { OutgoingRecord, RecordHeader, Sink, SinkTopic } from '../core/sink.ts';
import type { SourceBlock } from '../core/source-block.ts';
import type { ColumnCodec } from '../core/table.ts';
import type { Ticket } from '../core/ticket.ts';
import { MESSAGE_COLLECTION } from './dead-letters.ts';
import type { TopicNames } from './topic-names.ts';
import type { TransactionCounter } from './transaction-order.ts';

interface Channel<E> {
  readonly encoder: E;
  readonly topic: SinkTopic;
}

/** Publishes what is not a row: transaction boundaries, heartbeats, logical messages and schema changes. */
export class EventPublisher {
  readonly #settings: SourceSettings;
  readonly #names: TopicNames;
  readonly #encoder: RecordEncoder;
  readonly #sink: Sink;
  readonly #metrics: Metrics;
  #transactions: Channel<TransactionEncoder> | null = null;
  #heartbeats: Channel<HeartbeatEncoder> | null = null;
  #messages: (Channel<MessageEncoder> & { readonly count: { add(value: number): void } }) | null = null;
  #schemaChanges: (Channel<SchemaChangeEncoder> & { readonly headers: readonly RecordHeader[] }) | null = null;
  #lastHeartbeatMs = 0;

  constructor(settings: SourceSettings, names: TopicNames, encoder: RecordEncoder, sink: Sink, metrics: Metrics) {
    this.#settings = settings;
    this.#names = names;
    this.#encoder = encoder;
    this.#sink = sink;
    this.#metrics = metrics;
  }

  /** Registers what this source will certainly need. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { transaction, heartbeat } = this.#names;
    if (this.#settings.transactionMetadata) {
      const encoder = await this.#encoder.prepareTransaction(transaction, signal);
      this.#transactions = { encoder, topic: await this.#sink.topic(transaction, signal) };
    }
    if (this.#settings.heartbeatTopic) {
      const encoder = await this.#encoder.prepareHeartbeat(heartbeat, signal);
      this.#heartbeats = { encoder, topic: await this.#sink.topic(heartbeat, signal) };
    }
  }

  get canPublishMessages(): boolean {
    return this.#messages !== null;
  }

  async prepareMessages(source: SourceBlock, content: ColumnCodec, signal: AbortSignal): Promise<void> {
    const encoder = await this.#encoder.prepareMessage(this.#names.message, source, content, signal);
    const topic = await this.#sink.topic(this.#names.message, signal);
    const labels = { source: this.#settings.name, table: MESSAGE_COLLECTION, op: 'm' };
    this.#messages = { encoder, topic, count: this.#metrics.counter('tailrace_changes_total').bind(labels) };
  }

  get canPublishSchemaChanges(): boolean {
    return this.#schemaChanges !== null;
  }

  async prepareSchemaChanges(
    source: SourceBlock,
    headers: readonly RecordHeader[],
    signal: AbortSignal,
  ): Promise<void> {
    const { schemaChange } = this.#names;
    const encoder = await this.#encoder.prepareSchemaChange(schemaChange, source, signal);
    this.#schemaChanges = { encoder, topic: await this.#sink.topic(schemaChange, signal), headers };
  }

  begin(transaction: TransactionBegin, nowMs: number, ticket: Ticket): void {
    const channel = this.#transactions;
    if (channel === null) return;
    const { id } = transaction;
    const keyEnd = this.#key(() => channel.encoder.writeKey(id));
    channel.encoder.writeBegin(id, Math.floor(transaction.commitTimeUs / 1000));
    this.#append(channel.topic, keyEnd, nowMs, -1, ticket);
  }

  end(counter: TransactionCounter, nowMs: number, ticket: Ticket): void {
    const channel = this.#transactions;
    const transaction = counter.current;
    if (channel === null || transaction === null) return;
    const { id } = transaction;
    const keyEnd = this.#key(() => channel.encoder.writeKey(id));
    const timestampMs = Math.floor(transaction.commitTimeUs / 1000);
    channel.encoder.writeEnd(id, counter.eventCount, counter.collections(), timestampMs);
    this.#append(channel.topic, keyEnd, nowMs, -1, ticket);
  }

  /** At most one heartbeat record an interval; always to partition 0. */
  heartbeat(nowMs: number, ticket: Ticket): void {
    const channel = this.#heartbeats;
    if (channel === null) return;
    const sinceMs = nowMs - this.#lastHeartbeatMs;
    // Negative where the clock was set back: a new beginning.
    if (sinceMs >= 0 && sinceMs < this.#settings.heartbeatIntervalMs) return;
    this.#lastHeartbeatMs = nowMs;
    const keyEnd = this.#key(() => channel.encoder.writeKey(this.#settings.topicPrefix));
    channel.encoder.writeValue(nowMs);
    this.#append(channel.topic, keyEnd, nowMs, 0, ticket);
  }

  message(
    batch: ChangeBatch<unknown>,
    index: number,
    message: LogicalMessage,
    counter: TransactionCounter | null,
    nowMs: number,
    ticket: Ticket,
  ): void {
    const channel = this.#messages;
    if (channel === null) throw new TypeError('logical messages were not prepared');
    const keyEnd = this.#key(() => channel.encoder.writeKey(message.prefix));
    const order = counter === null ? null : counter.next(MESSAGE_COLLECTION);
    channel.encoder.writeValue(batch, index, order, nowMs);
    this.#append(channel.topic, keyEnd, nowMs, -1, ticket);
    channel.count.add(1);
  }

  /** In the order of the log, which only one partition keeps. */
  schemaChange(batch: ChangeBatch<unknown>, index: number, nowMs: number, ticket: Ticket): void {
    const channel = this.#schemaChanges;
    if (channel === null) throw new TypeError('schema changes were not prepared');
    const change = batch.details[index] as SchemaChange;
    const keyEnd = this.#key(() => channel.encoder.writeKey(change.databaseName));
    channel.encoder.writeValue(batch, index, change, nowMs);
    this.#append(channel.topic, keyEnd, nowMs, 0, ticket, channel.headers);
  }

  #key(write: () => void): number {
    this.#encoder.output.reset();
    write();
    return this.#encoder.output.length;
  }

  #append(
    topic: SinkTopic,
    keyEnd: number,
    timestampMs: number,
    partition: number,
    ticket: Ticket,
    headers: readonly RecordHeader[] = [],
  ): void {
    const { bytes, length } = this.#encoder.output;
    const record: OutgoingRecord = {
      bytes,
      keyStart: 0,
      keyEnd,
      valueStart: keyEnd,
      valueEnd: length,
      headers,
      timestampMs,
      partition,
    };
    if (topic.append(record, ticket)) return;
    throw new PoisonChangeError(`a record of ${length} bytes is larger than topic ${topic.name} takes`, {
      code: 'RECORD_TOO_LARGE',
      remedy: `Raise max.message.bytes of topic ${topic.name}, or set on_poison: dead_letter.`,
      source: this.#settings.name,
    });
  }
}
