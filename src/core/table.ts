import type { ChangeBatch, RowImage } from './change-batch.ts';
import type { ConnectSchema, SchemaDefault } from './connect-schema.ts';
import type { ValueWriter } from './value-writer.ts';

/** A table as the source names it. `schema` is null where the database has no schemas (MySQL, MariaDB). */
export interface TableId {
  readonly database: string;
  readonly schema: string | null;
  readonly name: string;
}

/** `schema.table` (Postgres) or `database.table` (MySQL): the form of topics, patterns, metrics and messages. */
export function qualifiedName(id: TableId): string {
  return `${id.schema ?? id.database}.${id.name}`;
}

/** Reads the source's wire form of one value of one type. Made in one place per source type. */
export interface ColumnCodec {
  readonly schema: ConnectSchema;
  /**
   * Writes the value that lies in `bytes[start, end)`; never called for NULL.
   * @returns false where the value has no representation in the schema (a numeric NaN in precise mode): nothing was
   *   written and the caller writes NULL, or applies the poison policy where the column cannot be null.
   * @throws MalformedValueError where the bytes are not a value of the type.
   */
  write(bytes: Uint8Array, start: number, end: number, out: ValueWriter): boolean;
  /** What stands for a value that the log did not carry although it is unchanged (an unchanged TOAST column). */
  writeUnavailable(out: ValueWriter): void;
  /** What stands in a NOT NULL column without default that the log did not carry (an old image with only the key). */
  writeFallback(out: ValueWriter): void;
}

export interface Column {
  readonly name: string;
  readonly codec: ColumnCodec;
  readonly nullable: boolean;
  readonly default: SchemaDefault | null;
  /** The declared type for `propagate_source_type`: Debezium's `__debezium.source.column.*` parameters. */
  readonly sourceType: SourceType;
}

export interface SourceType {
  readonly typeName: string;
  readonly length: number | null;
  readonly scale: number | null;
}

/**
 * One version of a table's layout as the log described it, with what the log lacks resolved (nullability, defaults, key).
 * Immutable; a DDL gives a new object. The same version met again, also in a later process, has the same `fingerprint`.
 */
export interface TableVersion {
  readonly id: TableId;
  readonly fingerprint: string;
  readonly columns: readonly Column[];
  /** Column indexes of the key in key order; null for a keyless table. */
  readonly key: readonly number[] | null;
  /**
   * Finds where each column of a row image lies. `cells` is overwritten; it must have room for all columns.
   * Only valid while the batch is not released.
   */
  locate(batch: ChangeBatch<unknown>, index: number, image: RowImage, cells: RowCells): void;
}

/** The indexes of a key's columns, null where there is no key. A key with a column that is left out is no key. */
export function keyIndexes(columns: readonly Column[], key: readonly string[] | null): readonly number[] | null {
  const indexes = key?.map((name) => columns.findIndex((column) => column.name === name)) ?? null;
  return indexes === null || indexes.includes(-1) ? null : indexes;
}

/** `starts[i]` of a column whose value is NULL. */
export const CELL_NULL = -1;
/** `starts[i]` of a column that is unchanged and was not logged (TOAST). */
export const CELL_UNAVAILABLE = -2;
/** `starts[i]` of a column that this image does not carry at all (an old image with only the key). */
export const CELL_ABSENT = -3;

/** Where the columns of one row image lie in the bytes of a batch. Reused from row to row. */
export class RowCells {
  starts: Int32Array;
  ends: Int32Array;

  constructor(capacity = 64) {
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  reserve(columns: number): void {
    if (columns <= this.starts.length) return;
    this.starts = new Int32Array(columns * 2);
    this.ends = new Int32Array(columns * 2);
  }
}
