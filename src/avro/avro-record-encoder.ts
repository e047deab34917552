import type { Clock } from '../core/clock.ts';
import type { ConnectStruct } from '../core/connect-schema.ts';
import type {
  DeletionEncoder,
  HeartbeatEncoder,
  IdentityWriter,
  MessageEncoder,
  NotificationEncoder,
  OutputBuffer,
  RecordEncoder,
  SchemaChangeEncoder,
  TableEncoder,
  TableShape,
  TransactionEncoder,
} from '../core/encoder.ts';
import type { KnownSchemaIds } from '../core/known-schema-ids.ts';
import type { Logger } from '../core/logger.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { SourceBlock } from '../core/source-block.ts';
import { type ColumnCodec, qualifiedName, type TableVersion } from '../core/table.ts';
import { AvroTableEncoder } from './avro-table-encoder.ts';
import { AvroWriter } from './avro-writer.ts';
import { AvroDeletionEncoder, shapeFromKey } from './deletion-encoder.ts';
import { EnvelopePlan } from './envelope-plan.ts';
import {
  AvroHeartbeatEncoder,
  AvroMessageEncoder,
  AvroNotificationEncoder,
  AvroTransactionEncoder,
  type RecordHeaders,
} from './fixed-encoders.ts';
import {
  HEARTBEAT_KEY,
  HEARTBEAT_VALUE,
  messageKeySchema,
  messageValueSchema,
  NOTIFICATION_KEY,
  NOTIFICATION_VALUE,
  schemaChangeKeySchema,
  schemaChangeValueSchema,
  TRANSACTION_KEY,
  TRANSACTION_VALUE,
} from './fixed-schemas.ts';
import { RowPlan } from './row-plan.ts';
import { AvroSchemaChangeEncoder } from './schema-change-encoder.ts';
import { type RegistryWait, SchemaIds } from './schema-ids.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { avroSchemaText } from './schema-text.ts';
import { subjectName } from './subject-name.ts';

const HEADER_BYTES = 5;

export interface AvroRecordEncoderDependencies {
  readonly settings: SourceSettings;
  readonly registry: SchemaRegistry;
  readonly knownIds: KnownSchemaIds;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called with every failed attempt while a `prepare…` waits for the registry, and with null when it answers again. */
  readonly onRegistryWait?: (wait: RegistryWait | null) => void;
}

export function createAvroRecordEncoder(dependencies: AvroRecordEncoderDependencies): AvroRecordEncoder {
  return new AvroRecordEncoder(dependencies);
}

/**
 * Encodes changes as Debezium does with Confluent's Avro converter: a zero byte, the schema's id, the Avro bytes.
 * @see https://docs.confluent.io/platform/current/schema-registry/fundamentals/serdes-develop/index.html#wire-format
 */
export class AvroRecordEncoder implements RecordEncoder {
  readonly #writer = new AvroWriter();
  readonly #ids: SchemaIds;
  readonly #settings: SourceSettings;
  readonly #registry: SchemaRegistry;

  constructor(dependencies: AvroRecordEncoderDependencies) {
    this.#ids = new SchemaIds(dependencies);
    this.#settings = dependencies.settings;
    this.#registry = dependencies.registry;
  }

  get output(): OutputBuffer {
    return this.#writer.output;
  }

  async prepareTable(shape: TableShape, source: SourceBlock, signal: AbortSignal): Promise<TableEncoder> {
    const { schemaNameAdjustment: schemaNames, fieldNameAdjustment: fieldNames } = this.#settings;
    const plan = new EnvelopePlan(shape, source, { schemaNames, fieldNames });
    const { key, envelope } = plan.schemas;
    const keyHeader = key === null ? null : await this.#header(shape.topic, 'key', key, signal);
    const valueHeader = await this.#header(shape.topic, 'value', envelope, signal);
    return new AvroTableEncoder(this.#writer, plan, keyHeader, valueHeader);
  }

  async prepareDeletion(shape: TableShape, source: SourceBlock, signal: AbortSignal): Promise<DeletionEncoder> {
    const { schemaNameAdjustment: schemaNames, fieldNameAdjustment: fieldNames } = this.#settings;
    const fromKey = shapeFromKey(shape);
    const encoder = await this.prepareTable(fromKey, source, signal);
    const key = new EnvelopePlan(fromKey, source, { schemaNames, fieldNames }).schemas.key!;
    const header = await this.#header(shape.topic, 'key', key, signal);
    return new AvroDeletionEncoder(encoder, fromKey, header, avroSchemaText(key));
  }

  identityWriter(version: TableVersion, columns: readonly number[]): IdentityWriter {
    const shaped = columns.map((index) => ({ index, column: version.columns[index]! }));
    const names = shaped.map(({ column }) => column.name);
    const plan = new RowPlan(qualifiedName(version.id), shaped, names);
    return { write: (batch, cells) => plan.write(this.#writer, batch, cells, 'key') };
  }

  async prepareTransaction(topic: string, signal: AbortSignal): Promise<TransactionEncoder> {
    const headers = await this.#headers(topic, TRANSACTION_KEY, TRANSACTION_VALUE, signal);
    return new AvroTransactionEncoder(this.#writer, headers);
  }

  async prepareHeartbeat(topic: string, signal: AbortSignal): Promise<HeartbeatEncoder> {
    const headers = await this.#headers(topic, HEARTBEAT_KEY, HEARTBEAT_VALUE, signal);
    return new AvroHeartbeatEncoder(this.#writer, headers);
  }

  async prepareNotification(topic: string, signal: AbortSignal): Promise<NotificationEncoder> {
    const headers = await this.#headers(topic, NOTIFICATION_KEY, NOTIFICATION_VALUE, signal);
    return new AvroNotificationEncoder(this.#writer, headers);
  }

  async prepareMessage(
    topic: string,
    source: SourceBlock,
    content: ColumnCodec,
    signal: AbortSignal,
  ): Promise<MessageEncoder> {
    const value = messageValueSchema(source.schema, content.schema);
    const headers = await this.#headers(topic, messageKeySchema(source.schema), value, signal);
    return new AvroMessageEncoder(this.#writer, headers, source, content);
  }

  async prepareSchemaChange(topic: string, source: SourceBlock, signal: AbortSignal): Promise<SchemaChangeEncoder> {
    const key = schemaChangeKeySchema(source.schema);
    const headers = await this.#headers(topic, key, schemaChangeValueSchema(source.schema), signal);
    return new AvroSchemaChangeEncoder(this.#writer, headers, source);
  }

  async #headers(topic: string, key: ConnectStruct, value: ConnectStruct, signal: AbortSignal): Promise<RecordHeaders> {
    return {
      key: await this.#header(topic, 'key', key, signal),
      value: await this.#header(topic, 'value', value, signal),
    };
  }

  async #header(topic: string, part: 'key' | 'value', schema: ConnectStruct, signal: AbortSignal): Promise<Uint8Array> {
    const subject = subjectName(this.#registry.settings.subjectNaming, topic, part, schema.name);
    const id = await this.#ids.idOf(subject, avroSchemaText(schema), signal);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(id, 1);
    return header;
  }
}
