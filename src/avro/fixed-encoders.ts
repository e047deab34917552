import type { ChangeBatch, LogicalMessage } from '../core/change-batch.ts';
import type {
  DataCollectionCount,
  HeartbeatEncoder,
  MessageEncoder,
  NotificationEncoder,
  TransactionEncoder,
  TransactionOrder,
} from '../core/encoder.ts';
import type { Notification } from '../core/notification.ts';
import type { SourceBlock } from '../core/source-block.ts';
import type { ColumnCodec } from '../core/table.ts';
import type { AvroWriter } from './avro-writer.ts';
import { writeTransactionOrder } from './envelope-plan.ts';

/** The wire format's first five bytes of a topic's keys and values. */
export interface RecordHeaders {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export class AvroTransactionEncoder implements TransactionEncoder {
  readonly #out: AvroWriter;
  readonly #headers: RecordHeaders;

  constructor(out: AvroWriter, headers: RecordHeaders) {
    this.#out = out;
    this.#headers = headers;
  }

  writeKey(id: string): void {
    this.#out.encoded(this.#headers.key);
    this.#out.text(id);
  }

  writeBegin(id: string, timestampMs: number): void {
    const out = this.#out;
    out.encoded(this.#headers.value);
    out.text('BEGIN');
    out.text(id);
    out.absent(0);
    out.absent(0);
    out.safeLong(timestampMs);
  }

  writeEnd(id: string, eventCount: number, collections: readonly DataCollectionCount[], timestampMs: number): void {
    const out = this.#out;
    out.encoded(this.#headers.value);
    out.text('END');
    out.text(id);
    out.present(0);
    out.safeLong(eventCount);
    out.present(0);
    out.beginArray(collections.length);
    for (const { dataCollection, eventCount: count } of collections) {
      out.present(0);
      out.text(dataCollection);
      out.safeLong(count);
    }
    out.endArray();
    out.safeLong(timestampMs);
  }
}

export class AvroHeartbeatEncoder implements HeartbeatEncoder {
  readonly #out: AvroWriter;
  readonly #headers: RecordHeaders;

  constructor(out: AvroWriter, headers: RecordHeaders) {
    this.#out = out;
    this.#headers = headers;
  }

  writeKey(serverName: string): void {
    this.#out.encoded(this.#headers.key);
    this.#out.text(serverName);
  }

  writeValue(timestampMs: number): void {
    this.#out.encoded(this.#headers.value);
    this.#out.safeLong(timestampMs);
  }
}

export class AvroNotificationEncoder implements NotificationEncoder {
  readonly #out: AvroWriter;
  readonly #headers: RecordHeaders;

  constructor(out: AvroWriter, headers: RecordHeaders) {
    this.#out = out;
    this.#headers = headers;
  }

  writeKey(id: string): void {
    this.#out.encoded(this.#headers.key);
    this.#out.text(id);
  }

  writeValue({ id, type, aggregateType, additionalData }: Notification, timestampMs: number): void {
    const out = this.#out;
    const pairs = Object.entries(additionalData);
    out.encoded(this.#headers.value);
    out.text(id);
    out.text(type);
    out.text(aggregateType);
    out.present(0);
    out.beginMap(pairs.length);
    for (const [name, value] of pairs) {
      const key = Buffer.from(name, 'utf8');
      out.mapKey(key, 0, key.length);
      out.text(value);
    }
    out.endMap();
    out.safeLong(timestampMs);
  }
}

export class AvroMessageEncoder implements MessageEncoder {
  readonly #out: AvroWriter;
  readonly #headers: RecordHeaders;
  readonly #source: SourceBlock;
  readonly #content: ColumnCodec;

  constructor(out: AvroWriter, headers: RecordHeaders, source: SourceBlock, content: ColumnCodec) {
    this.#out = out;
    this.#headers = headers;
    this.#source = source;
    this.#content = content;
  }

  writeKey(prefix: string): void {
    const out = this.#out;
    out.encoded(this.#headers.key);
    out.present(0);
    out.text(prefix);
  }

  writeValue(
    batch: ChangeBatch<unknown>,
    index: number,
    transaction: TransactionOrder | null,
    processedAtMs: number,
  ): void {
    const out = this.#out;
    const message = batch.details[index] as LogicalMessage;
    const start = out.length;
    try {
      out.encoded(this.#headers.value);
      out.text('m');
      out.present(0);
      out.safeLong(processedAtMs);
      this.#source.write(out, batch, index, null);
      writeTransactionOrder(out, transaction);
      out.present(0);
      out.text(message.prefix);
      out.present(0);
      if (!this.#content.write(batch.bytes, message.contentStart, message.contentEnd, out)) out.retract(0);
    } catch (error) {
      out.truncate(start);
      throw error;
    }
  }
}
