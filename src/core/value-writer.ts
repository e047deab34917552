/**
 * The serializer that column codecs push into. A codec reads the source's wire form of one value and makes
 * exactly one value call (or one bracketed group of them); the writer decides what that becomes: Avro bytes,
 * JSON for a dead letter, or plain values in a test. Nothing in between is allocated.
 *
 * Calls must follow the Connect schema of the value being written: a writer for a binary format knows nothing
 * of names and types and trusts the order.
 */
export interface ValueWriter {
  /** The null branch of an optional value. `nullBranch` is its position in the union: 1 where the column has a default, else 0. */
  absent(nullBranch: NullBranch): void;
  /** Announces that the value of an optional field follows. */
  present(nullBranch: NullBranch): void;
  boolean(value: boolean): void;
  /** A Connect INT8, INT16 or INT32. */
  int(value: number): void;
  /** A 64-bit integer as two's complement halves; `high` and `low` are taken modulo 2^32. */
  long(high: number, low: number): void;
  /** A 64-bit field whose value is known to be a safe integer (|value| < 2^53). */
  safeLong(value: number): void;
  float(value: number): void;
  double(value: number): void;
  /** A string that is already valid UTF-8. */
  utf8(bytes: Uint8Array, start: number, end: number): void;
  text(value: string): void;
  bytes(bytes: Uint8Array, start: number, end: number): void;
  /**
   * The unscaled value of an exact decimal, as Connect's Decimal writes it: big-endian two's complement, minimal length.
   * The number is ASCII `[-]digits[.digits]` without exponent; missing fraction digits up to `scale` are zeros.
   * Throws a RangeError where the number has more significant fraction digits than `scale`.
   */
  decimal(ascii: Uint8Array, start: number, end: number, scale: number): void;
  /** As `decimal`, of a number whose unscaled value is a safe integer: 12.50 of scale 2 is 1250. */
  safeDecimal(unscaled: number, scale: number): void;
  beginStruct(): void;
  /** Names the field that follows; only inside a struct, in schema order. */
  field(name: string): void;
  endStruct(): void;
  /** `count` items follow; an item that may be null announces itself with absent/present. */
  beginArray(count: number): void;
  endArray(): void;
  /** `count` pairs of `mapKey` and a value follow. */
  beginMap(count: number): void;
  mapKey(bytes: Uint8Array, start: number, end: number): void;
  endMap(): void;
  /**
   * Writes what `write` writes. The caller promises that `write` gives the same calls every time until the fragment is
   * reset, so a binary writer may keep the bytes of the first time and copy them.
   */
  constant(fragment: ConstantFragment, write: (out: ValueWriter) => void): void;
}

export type NullBranch = 0 | 1;

const NOTHING = new Uint8Array(0);

/** The remembered bytes of a part of a record that stays the same over many records. */
export class ConstantFragment {
  bytes: Uint8Array = NOTHING;
  /** 0 where nothing is kept. */
  length = 0;

  /** Keeps a copy of `source[start, end)`, in the memory that the last one had. */
  keep(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.bytes.length) this.bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) this.bytes[i] = source[start + i] as number;
    this.length = length;
  }

  /** What was constant is another now. */
  reset(): void {
    this.length = 0;
  }
}
