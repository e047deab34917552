import { GrowingBytes } from '../core/growing-bytes.ts';
import type { AvroCursor } from './avro-cursor.ts';
import { ABSENT, type CompiledRecord, type RecordField } from './comparable-schema.ts';

/** The columns that rows are compared in, in order. */
export interface RowLayout {
  readonly fields: readonly LayoutField[];
}

export interface LayoutField {
  readonly name: string;
  /** Comparable form of what a reader of the newest schema sees in a record that was written without the column. */
  readonly missing: Uint8Array;
  /** Comparable form of the placeholder of a value that the log did not carry; null where it cannot be told from a value. */
  readonly placeholder: Uint8Array | null;
}

/** A missing column that has no value to stand in for it: equal to no value. */
export const NO_VALUE = Uint8Array.of(2);
export const NULL_VALUE = Uint8Array.of(ABSENT);

/** The comparable form of one row, column by column in the order of a layout. Reused from row to row. */
export class RowImage {
  readonly layout: RowLayout;
  readonly #taken = new GrowingBytes();
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;
  readonly #composed = new GrowingBytes();

  constructor(layout: RowLayout) {
    this.layout = layout;
    this.#starts = new Int32Array(layout.fields.length);
    this.#ends = new Int32Array(layout.fields.length);
  }

  /** Makes a function that fills the image from a value of the record. Columns that the layout lacks are left out. */
  taker(record: CompiledRecord): (input: AvroCursor) => void {
    const steps = record.fields.map(({ name, take }) => ({ take, at: this.#indexOf(name) }));
    const missing = this.layout.fields.flatMap((field, at) =>
      record.fields.some(({ name }) => name === field.name) ? [] : [{ at, bytes: field.missing }],
    );
    const out = this.#taken;
    const starts = this.#starts;
    const ends = this.#ends;
    return (input) => {
      out.length = 0;
      for (const { take, at } of steps) {
        if (at < 0) {
          take(input, null);
          continue;
        }
        starts[at] = out.length;
        take(input, out);
        ends[at] = out.length;
      }
      for (const { at, bytes } of missing) {
        starts[at] = out.length;
        out.append(bytes, 0, bytes.length);
        ends[at] = out.length;
      }
    };
  }

  /** Puts the comparable form of another value in a column's place. */
  replace(at: number, bytes: Uint8Array): void {
    this.#starts[at] = this.#taken.length;
    this.#taken.append(bytes, 0, bytes.length);
    this.#ends[at] = this.#taken.length;
  }

  isNull(at: number): boolean {
    return this.#taken.bytes[this.#starts[at]!] === ABSENT;
  }

  /** Indexes of the columns that hold the placeholder of an unavailable value. */
  placeholders(): number[] {
    const found: number[] = [];
    const { fields } = this.layout;
    for (let i = 0; i < fields.length; i++) {
      const placeholder = fields[i]!.placeholder;
      if (placeholder !== null && this.#holds(i, placeholder)) found.push(i);
    }
    return found;
  }

  /** All columns in the order of the layout, but those whose index is in `without`. Valid until the next call. */
  compose(without: ReadonlySet<number> | null): GrowingBytes {
    const out = this.#composed;
    const { bytes } = this.#taken;
    out.length = 0;
    for (let i = 0; i < this.#starts.length; i++) {
      if (without?.has(i)) continue;
      out.append(bytes, this.#starts[i]!, this.#ends[i]!);
    }
    return out;
  }

  /** A copy of a column's comparable form. */
  column(at: number): Buffer {
    return Buffer.from(this.#taken.bytes.subarray(this.#starts[at]!, this.#ends[at]!));
  }

  #holds(at: number, expected: Uint8Array): boolean {
    const start = this.#starts[at]!;
    if (this.#ends[at]! - start !== expected.length) return false;
    const { bytes } = this.#taken;
    for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false;
    return true;
  }

  #indexOf(name: string): number {
    return this.layout.fields.findIndex((field) => field.name === name);
  }
}

/** A layout for records of which nothing else is known. */
export function layoutOf(fields: readonly RecordField[]): RowLayout {
  return { fields: fields.map(({ name }) => ({ name, missing: NO_VALUE, placeholder: null })) };
}
