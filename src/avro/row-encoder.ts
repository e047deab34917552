import type { ChangeBatch } from '../core/change-batch.ts';
import type { ConnectStruct } from '../core/connect-schema.ts';
import type { ShapedColumn, TableShape } from '../core/encoder.ts';
import { GrowingBytes } from '../core/growing-bytes.ts';
import type { NameAdjustment } from '../core/settings.ts';
import { qualifiedName, type RowCells } from '../core/table.ts';
import { AvroCursor } from './avro-cursor.ts';
import { AvroWriter } from './avro-writer.ts';
import { ComparableSchema, type ComparableTexts } from './comparable-schema.ts';
import { envelopeSchemas } from './envelope-schema.ts';
import { type LayoutField, NO_VALUE, NULL_VALUE, RowImage, type RowLayout } from './row-image.ts';
import { RowPlan } from './row-plan.ts';
import { avroSchemaText } from './schema-text.ts';

/** Of an envelope only the rows are of interest here. */
const NO_SOURCE: ConnectStruct = { type: 'struct', name: 'source', fields: [] };

export interface RowEncoderOptions {
  readonly schemaNames: NameAdjustment;
  readonly fieldNames: NameAdjustment;
  /** The placeholder's text, by which a value that the log did not carry is told. */
  readonly placeholder: string;
  readonly texts: ComparableTexts;
}

/**
 * Encodes the key and the row of a table as a record of its topic has them, and brings both into their comparable form:
 * what a row is expected to be in the topic.
 */
export class RowEncoder {
  readonly shape: TableShape;
  readonly keyLayout: RowLayout | null;
  readonly rowLayout: RowLayout;
  readonly keySchemaText: string | null;
  readonly rowSchemaText: string;
  /** What `encodeKey` and `encodeRow` fill. */
  readonly key: RowImage | null;
  readonly row: RowImage;
  readonly #out = new AvroWriter();
  readonly #cursor = new AvroCursor();
  readonly #keyPlan: RowPlan | null;
  readonly #rowPlan: RowPlan;
  readonly #takeKey: ((input: AvroCursor) => void) | null;
  readonly #takeRow: (input: AvroCursor) => void;

  /** @throws ConfigurationError where the pipeline could not publish the table either */
  constructor(shape: TableShape, options: RowEncoderOptions) {
    const { envelope, key, keyFields, rowFields } = envelopeSchemas(shape, NO_SOURCE, options);
    const row = envelope.fields[0]!.schema as ConnectStruct;
    const table = qualifiedName(shape.version.id);
    this.shape = shape;
    this.rowSchemaText = avroSchemaText(row);
    this.keySchemaText = key === null ? null : avroSchemaText(key);
    const rowSchema = new ComparableSchema(this.rowSchemaText, options.texts).rootRecord();
    this.rowLayout = { fields: rowFields.map((name, i) => layoutField(name, shape.value[i]!, options)) };
    this.row = new RowImage(this.rowLayout);
    this.#takeRow = this.row.taker(rowSchema);
    this.#rowPlan = new RowPlan(table, shape.value, rowFields);
    if (key === null || shape.key === null || this.keySchemaText === null) {
      this.keyLayout = null;
      this.key = null;
      this.#keyPlan = null;
      this.#takeKey = null;
    } else {
      this.keyLayout = { fields: keyFields.map((name) => ({ name, missing: NO_VALUE, placeholder: null })) };
      this.key = new RowImage(this.keyLayout);
      this.#takeKey = this.key.taker(new ComparableSchema(this.keySchemaText, options.texts).rootRecord());
      this.#keyPlan = new RowPlan(table, shape.key, keyFields);
    }
  }

  /** Fills `key`. @returns the Avro bytes, valid until the next call. @throws PoisonChangeError */
  encodeKey(batch: ChangeBatch<unknown>, cells: RowCells): Buffer {
    const out = this.#out;
    out.reset();
    this.#keyPlan?.write(out, batch, cells, 'key');
    this.#takeKey?.(this.#cursor.open(out.buffer, 0));
    return out.buffer.subarray(0, out.length);
  }

  /** Fills `row`. @returns the Avro bytes, valid until the next call. @throws PoisonChangeError */
  encodeRow(batch: ChangeBatch<unknown>, cells: RowCells): Buffer {
    const out = this.#out;
    out.reset();
    this.#rowPlan.write(out, batch, cells, 'after');
    this.#takeRow(this.#cursor.open(out.buffer, 0));
    return out.buffer.subarray(0, out.length);
  }
}

function layoutField(name: string, { column }: ShapedColumn, options: RowEncoderOptions): LayoutField {
  const { codec, nullable, default: value } = column;
  const comparable = (write: (out: AvroWriter) => void): Uint8Array => {
    const out = new AvroWriter();
    write(out);
    const schema = avroSchemaText({
      type: 'struct',
      name: 'One',
      fields: [{ name, schema: codec.schema, optional: false }],
    });
    const taken = new GrowingBytes();
    const input = new AvroCursor().open(out.buffer, 0);
    for (const { take } of new ComparableSchema(schema, options.texts).rootRecord().fields) take(input, taken);
    return Uint8Array.from(taken.bytes.subarray(0, taken.length));
  };
  const missing = value !== null ? comparable((out) => value.write(out)) : nullable ? NULL_VALUE : NO_VALUE;
  const unavailable = comparable((out) => codec.writeUnavailable(out));
  return { name, missing, placeholder: isTelling(unavailable, codec.schema.type, options) ? unavailable : null };
}

/** Small types have no placeholder of their own: their zero would make every zero a value that is not there. */
function isTelling(unavailable: Uint8Array, type: string, { placeholder }: RowEncoderOptions): boolean {
  const text = Buffer.from(placeholder, 'utf8');
  if (Buffer.from(unavailable).includes(text)) return true;
  // An array of numbers holds one for each byte of the text.
  return type === 'array' && unavailable.length > text.length;
}
