import type { DeletionEncoder, ShapedColumn, TableEncoder, TableShape } from '../core/encoder.ts';
import type { BlankBatch } from '../core/snapshot.ts';
import { CELL_ABSENT, CELL_NULL, type ColumnCodec, RowCells } from '../core/table.ts';
import { ConstantFragment } from '../core/value-writer.ts';
import { AvroCursor } from './avro-cursor.ts';
import { AvroDecodeError } from './avro-reader.ts';
import { ComparableSchema, type RecordField } from './comparable-schema.ts';

/**
 * The shape with codecs that take values as they are in a record's key: as Avro. A column whose value is masked is none of
 * them, because the key has it unmasked.
 */
export function shapeFromKey(shape: TableShape): TableShape {
  const keys = new Set(shape.key?.map(({ index }) => index));
  const value = shape.value.map((shaped): ShapedColumn => {
    const isPlain = shaped.column.codec === shape.version.columns[shaped.index]!.codec;
    if (!keys.has(shaped.index) || !isPlain) return shaped;
    return { ...shaped, column: { ...shaped.column, codec: copying(shaped.column.codec) } };
  });
  return { ...shape, value };
}

/** Encodes deletions of rows of which nothing but the key is known. */
export class AvroDeletionEncoder implements DeletionEncoder {
  readonly #encoder: TableEncoder;
  readonly #columns: readonly ShapedColumn[];
  readonly #header: Uint8Array;
  readonly #fields: readonly RecordField[];
  readonly #cells: RowCells;
  readonly #plain: ReadonlySet<number>;
  readonly #cursor = new AvroCursor();

  /**
   * @param encoder of `shape`, which is one of `shapeFromKey`
   * @param header of keys that have the columns of now: others are told without columns
   */
  constructor(encoder: TableEncoder, shape: TableShape, header: Uint8Array, keySchemaText: string) {
    this.#encoder = encoder;
    this.#columns = shape.key ?? [];
    this.#header = header;
    this.#fields = new ComparableSchema(keySchemaText).rootRecord().fields;
    this.#cells = new RowCells(shape.version.columns.length);
    this.#plain = new Set(shape.value.filter(({ column }) => COPYING.has(column.codec)).map(({ index }) => index));
  }

  writeValue(key: Buffer, batch: BlankBatch<unknown>, processedAtUs: number): void {
    this.#cells.starts.fill(CELL_ABSENT);
    if (key.subarray(0, this.#header.length).equals(this.#header)) this.#locate(key);
    batch.bytes = key;
    this.#encoder.writeValue('d', batch, 0, this.#cells, null, null, processedAtUs);
  }

  #locate(key: Buffer): void {
    const { starts, ends } = this.#cells;
    const input = this.#cursor.open(key, this.#header.length);
    try {
      for (const [place, { take }] of this.#fields.entries()) {
        const { index, column } = this.#columns[place]!;
        const start = input.at;
        take(input, null);
        if (!this.#plain.has(index)) continue;
        const nullBranch = column.default === null ? 0 : 2;
        if (column.nullable && key[start] === nullBranch) starts[index] = CELL_NULL;
        else starts[index] = column.nullable ? start + 1 : start;
        ends[index] = input.at;
      }
    } catch (error) {
      // A key that cannot be read can be deleted all the same.
      if (!(error instanceof AvroDecodeError)) throw error;
      starts.fill(CELL_ABSENT);
    }
  }
}

const COPYING = new WeakSet<ColumnCodec>();

/** Takes Avro for Avro. */
function copying(codec: ColumnCodec): ColumnCodec {
  const fragment = new ConstantFragment();
  const made: ColumnCodec = {
    schema: codec.schema,
    write(bytes, start, end, out) {
      fragment.keep(bytes, start, end);
      out.constant(fragment, () => {
        throw new TypeError('a value of a key has no bytes');
      });
      return true;
    },
    writeUnavailable: (out) => codec.writeUnavailable(out),
    writeFallback: (out) => codec.writeFallback(out),
  };
  COPYING.add(made);
  return made;
}
