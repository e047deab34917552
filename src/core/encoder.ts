import type { ChangeBatch } from './change-batch.ts';
import type { Notification } from './notification.ts';
import type { SchemaChange } from './schema-change.ts';
import type { BlankBatch } from './snapshot.ts';
import type { SourceBlock } from './source-block.ts';
import type { Column, ColumnCodec, RowCells, TableVersion } from './table.ts';

/** Debezium's operation codes. */
export type Operation = 'c' | 'u' | 'd' | 'r' | 't' | 'm';

/** What of a table goes on the wire: made by the pipeline from a table version and the source's configuration. */
export interface TableShape {
  readonly version: TableVersion;
  readonly topic: string;
  /** Value columns in table order: excluded ones are missing, masked ones have a masking codec. */
  readonly value: readonly ShapedColumn[];
  /** Key columns in key order, with their unmasked codecs; null for a keyless table. */
  readonly key: readonly ShapedColumn[] | null;
}

export interface ShapedColumn {
  /** Index in the table version. */
  readonly index: number;
  readonly column: Column;
}

export interface TransactionOrder {
  readonly id: string;
  readonly totalOrder: number;
  readonly dataCollectionOrder: number;
}

export interface DataCollectionCount {
  readonly dataCollection: string;
  readonly eventCount: number;
}

/** A growing buffer that records are encoded into; `bytes` changes identity when it grows. */
export interface OutputBuffer {
  readonly bytes: Buffer;
  /** End of what was written. */
  readonly length: number;
  reset(): void;
}

/**
 * Encodes changes into records of a wire format whose schemas live in a registry. Preparing is asynchronous (schemas get
 * their ids), encoding is not. One per source.
 */
export interface RecordEncoder {
  readonly output: OutputBuffer;
  /**
   * Resolves once the schemas of this shape have ids. Waits while the registry is unreachable and the ids are unknown.
   * @throws IncompatibleSchemaError by policy.
   */
  prepareTable(shape: TableShape, source: SourceBlock, signal: AbortSignal): Promise<TableEncoder>;
  /** Writes what tells rows of a table apart by these columns (indexes in the version). Needs no schema. */
  identityWriter(version: TableVersion, columns: readonly number[]): IdentityWriter;
  /** `shape` has a key. */
  prepareDeletion(shape: TableShape, source: SourceBlock, signal: AbortSignal): Promise<DeletionEncoder>;
  prepareTransaction(topic: string, signal: AbortSignal): Promise<TransactionEncoder>;
  prepareHeartbeat(topic: string, signal: AbortSignal): Promise<HeartbeatEncoder>;
  prepareNotification(topic: string, signal: AbortSignal): Promise<NotificationEncoder>;
  /** `content` is the codec for the raw bytes of a message (its schema follows the binary handling mode). */
  prepareMessage(
    topic: string,
    source: SourceBlock,
    content: ColumnCodec,
    signal: AbortSignal,
  ): Promise<MessageEncoder>;
  prepareSchemaChange(topic: string, source: SourceBlock, signal: AbortSignal): Promise<SchemaChangeEncoder>;
}

export interface IdentityWriter {
  /**
   * Appends bytes that are the same for the same values, in whatever form the source sent them.
   * @throws PoisonChangeError where the cells lack one of the columns.
   */
  write(batch: ChangeBatch<unknown>, cells: RowCells): void;
}

export interface SchemaChangeEncoder {
  writeKey(databaseName: string): void;
  /** Change `index` of `batch` is the schema change: its source block tells where it happened. */
  writeValue(batch: ChangeBatch<unknown>, index: number, change: SchemaChange, processedAtMs: number): void;
}

/** Every write appends to the encoder's `output`; the caller notes `output.length` before and after. */
export interface TableEncoder {
  writeKey(batch: ChangeBatch<unknown>, cells: RowCells): void;
  writeValue(
    operation: Operation,
    batch: ChangeBatch<unknown>,
    index: number,
    before: RowCells | null,
    after: RowCells | null,
    transaction: TransactionOrder | null,
    processedAtUs: number,
  ): void;
  /** The key as JSON text without schema, for the `__debezium.newkey` and `oldkey` headers. */
  keyAsJson(batch: ChangeBatch<unknown>, cells: RowCells): string;
}

export interface DeletionEncoder {
  /**
   * Writes the deletion of a row of which nothing is known but the key of its records; of what the row was it has the columns
   * of that key. `batch` says where it was found that the row is gone.
   */
  writeValue(key: Buffer, batch: BlankBatch<unknown>, processedAtUs: number): void;
}

export interface TransactionEncoder {
  writeKey(id: string): void;
  writeBegin(id: string, timestampMs: number): void;
  writeEnd(id: string, eventCount: number, collections: readonly DataCollectionCount[], timestampMs: number): void;
}

export interface HeartbeatEncoder {
  writeKey(serverName: string): void;
  writeValue(timestampMs: number): void;
}

export interface NotificationEncoder {
  writeKey(id: string): void;
  writeValue(notification: Notification, timestampMs: number): void;
}

export interface MessageEncoder {
  writeKey(prefix: string): void;
  writeValue(
    batch: ChangeBatch<unknown>,
    index: number,
    transaction: TransactionOrder | null,
    processedAtMs: number,
  ): void;
}
