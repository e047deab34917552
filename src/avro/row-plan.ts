import type { ChangeBatch } from '../core/change-batch.ts';
import type { SchemaDefault } from '../core/connect-schema.ts';
import type { ShapedColumn } from '../core/encoder.ts';
import { MalformedValueError, PoisonChangeError } from '../core/errors.ts';
import { CELL_ABSENT, CELL_NULL, CELL_UNAVAILABLE, type ColumnCodec, type RowCells } from '../core/table.ts';
import type { NullBranch } from '../core/value-writer.ts';
import type { RecordWriter } from './record-writer.ts';

/** What an image stands for decides what may stand in for a value that it does not carry. */
export type ImageRole = 'key' | 'before' | 'after';

/** The columns of a row or of a key, laid out for writing one image after another without looking at configuration. */
export class RowPlan {
  readonly #table: string;
  readonly #names: readonly string[];
  readonly #columns: readonly string[];
  readonly #codecs: readonly ColumnCodec[];
  readonly #indexes: Int32Array;
  readonly #nullable: Uint8Array;
  readonly #nullBranches: readonly NullBranch[];
  readonly #defaults: readonly (SchemaDefault | null)[];

  constructor(table: string, columns: readonly ShapedColumn[], fieldNames: readonly string[]) {
    this.#table = table;
    this.#names = fieldNames;
    this.#columns = columns.map(({ column }) => column.name);
    this.#codecs = columns.map(({ column }) => column.codec);
    this.#indexes = Int32Array.from(columns, ({ index }) => index);
    this.#nullable = Uint8Array.from(columns, ({ column }) => (column.nullable ? 1 : 0));
    this.#nullBranches = columns.map(({ column }) => (column.default === null ? 0 : 1));
    this.#defaults = columns.map(({ column }) => column.default);
  }

  /** @throws PoisonChangeError where a value cannot be written; what was written before it is left in `out`. */
  write(out: RecordWriter, batch: ChangeBatch<unknown>, cells: RowCells, role: ImageRole): void {
    const { bytes } = batch;
    const { starts, ends } = cells;
    const indexes = this.#indexes;
    out.beginStruct();
    for (let i = 0; i < indexes.length; i++) {
      const index = indexes[i]!;
      const start = starts[index]!;
      out.field(this.#names[i]!);
      if (start < 0) this.#writeMissing(out, i, start, role);
      else this.#writeValue(out, i, bytes, start, ends[index]!);
    }
    out.endStruct();
  }

  #writeValue(out: RecordWriter, i: number, bytes: Uint8Array, start: number, end: number): void {
    try {
      if (this.#nullable[i] === 0) {
        if (!this.#codecs[i]!.write(bytes, start, end, out)) throw this.#unrepresentable(i);
      } else {
        out.present(this.#nullBranches[i]!);
        if (!this.#codecs[i]!.write(bytes, start, end, out)) out.retract(this.#nullBranches[i]!);
      }
    } catch (error) {
      throw this.#explained(error, i);
    }
  }

  #writeMissing(out: RecordWriter, i: number, cell: number, role: ImageRole): void {
    const nullable = this.#nullable[i] === 1;
    if (cell === CELL_UNAVAILABLE) {
      // A placeholder in a key would be another row's key.
      if (role === 'key') throw this.#keyMissing(i);
      if (nullable) out.present(this.#nullBranches[i]!);
      this.#codecs[i]!.writeUnavailable(out);
    } else if (cell === CELL_ABSENT && role === 'key') {
      throw this.#keyMissing(i);
    } else if (nullable) {
      out.absent(this.#nullBranches[i]!);
    } else if (role === 'before' && (cell === CELL_ABSENT || cell === CELL_NULL)) {
      // The schema has no null here and the log had no value: Debezium's stand-ins.
      const fallback = this.#defaults[i];
      if (fallback === null || fallback === undefined) this.#codecs[i]!.writeFallback(out);
      else fallback.write(out);
    } else {
      throw this.#nullNotAllowed(i, cell);
    }
  }

  #explained(error: unknown, i: number): unknown {
    if (!(error instanceof MalformedValueError || error instanceof RangeError)) return error;
    return this.#poison(i, 'COLUMN_VALUE_MALFORMED', 'holds a value that is not of its type', error);
  }

  #unrepresentable(i: number): PoisonChangeError {
    return this.#poison(
      i,
      'COLUMN_VALUE_UNREPRESENTABLE',
      'is NOT NULL and holds a value that its schema cannot express',
    );
  }

  #nullNotAllowed(i: number, cell: number): PoisonChangeError {
    const what = cell === CELL_NULL ? 'is NULL' : 'is missing from the log';
    return this.#poison(i, 'COLUMN_NULL_NOT_ALLOWED', `${what} although the schema says NOT NULL`);
  }

  #keyMissing(i: number): PoisonChangeError {
    return new PoisonChangeError(`The log does not carry key column ${this.#columns[i]} of ${this.#table}.`, {
      code: 'KEY_COLUMN_MISSING',
      remedy: `Set REPLICA IDENTITY FULL on ${this.#table}, or take a key that its replica identity contains.`,
      table: this.#table,
    });
  }

  #poison(i: number, code: string, what: string, cause?: unknown): PoisonChangeError {
    return new PoisonChangeError(`Column ${this.#columns[i]} of ${this.#table} ${what}.`, {
      code,
      remedy: 'Correct the row in the source, exclude the column, or set `on_poison: dead_letter`.',
      table: this.#table,
      cause,
    });
  }
}
