import type { ChangeBatch } from '../core/change-batch.ts';
import type { SchemaChangeEncoder } from '../core/encoder.ts';
import type { ColumnDescription, SchemaChange, TableDescription } from '../core/schema-change.ts';
import type { SourceBlock } from '../core/source-block.ts';
import type { AvroWriter } from './avro-writer.ts';
import type { RecordHeaders } from './fixed-encoders.ts';

/** Records of the schema-change topic, field by field as `schemaChangeValueSchema` lists them. */
export class AvroSchemaChangeEncoder implements SchemaChangeEncoder {
  readonly #out: AvroWriter;
  readonly #headers: RecordHeaders;
  readonly #source: SourceBlock;

  constructor(out: AvroWriter, headers: RecordHeaders, source: SourceBlock) {
    this.#out = out;
    this.#headers = headers;
    this.#source = source;
  }

  writeKey(databaseName: string): void {
    this.#out.encoded(this.#headers.key);
    this.#out.text(databaseName);
  }

  writeValue(batch: ChangeBatch<unknown>, index: number, change: SchemaChange, processedAtMs: number): void {
    const out = this.#out;
    out.encoded(this.#headers.value);
    this.#source.write(out, batch, index, null);
    out.safeLong(processedAtMs);
    this.#text(change.databaseName);
    out.absent(0);
    this.#text(change.ddl);
    out.beginArray(change.changes.length);
    for (const { type, id, table } of change.changes) {
      out.text(type);
      out.text(id);
      if (this.#isAnnounced(table)) this.#table(table);
    }
    out.endArray();
  }

  #table(table: TableDescription): void {
    const out = this.#out;
    this.#text(table.defaultCharsetName);
    this.#texts(table.primaryKeyColumnNames);
    out.beginArray(table.columns.length);
    for (const column of table.columns) this.#column(column);
    out.endArray();
    this.#text(table.comment);
  }

  #column(column: ColumnDescription): void {
    const out = this.#out;
    out.text(column.name);
    out.int(column.jdbcType);
    this.#int(column.nativeType);
    out.text(column.typeName);
    this.#text(column.typeExpression);
    this.#text(column.charsetName);
    this.#int(column.length);
    this.#int(column.scale);
    out.int(column.position);
    this.#boolean(column.optional);
    this.#boolean(column.autoIncremented);
    this.#boolean(column.generated);
    this.#text(column.comment);
    this.#text(column.defaultValueExpression);
    this.#texts(column.enumValues);
  }

  #text(value: string | null): void {
    if (this.#isAnnounced(value)) this.#out.text(value);
  }

  #int(value: number | null): void {
    if (this.#isAnnounced(value)) this.#out.int(value);
  }

  #boolean(value: boolean): void {
    if (this.#isAnnounced(value)) this.#out.boolean(value);
  }

  #texts(values: readonly string[] | null): void {
    if (!this.#isAnnounced(values)) return;
    this.#out.beginArray(values.length);
    for (const value of values) this.#out.text(value);
    this.#out.endArray();
  }

  /** Writes which branch of the union follows. */
  #isAnnounced<T>(value: T | null): value is T {
    if (value === null) this.#out.absent(0);
    else this.#out.present(0);
    return value !== null;
  }
}
