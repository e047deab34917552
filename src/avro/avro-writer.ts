import { copyBytes } from '../core/copy-bytes.ts';
import type { OutputBuffer } from '../core/encoder.ts';
import { freeBuffer } from '../core/free-buffer.ts';
import { allocateBuffer } from '../core/large-buffer.ts';
import type { ConstantFragment, NullBranch, ValueWriter } from '../core/value-writer.ts';
import type { RecordWriter } from './record-writer.ts';
import { UnscaledDecimal } from './unscaled-decimal.ts';

const INITIAL_BYTES = 64 * 1024;
/** A larger buffer is given back as soon as its record is gone: there are other copies of a large value on their way. */
const RETAINED_BYTES = 1024 * 1024;
/** Up to here a loop beats the call into `copyBytes` or `Buffer.write`. */
const LOOP_BYTES = 40;
/** A varint of 64 bits takes at most ten bytes. */
const MAX_VARINT_BYTES = 10;
const TWO_TO_32 = 0x1_0000_0000;

/**
 * Writes Avro's binary encoding into one growing buffer. Arrays and maps are one block. Allocates nothing but the buffer.
 * @see https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class AvroWriter implements RecordWriter {
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;
  readonly #number = new DataView(new ArrayBuffer(8));
  readonly #numberBytes = new Uint8Array(this.#number.buffer);
  readonly #decimal = new UnscaledDecimal();

  /** What was written, for those who send it. (`bytes` of a writer itself is the value call.) */
  readonly output: OutputBuffer = new WrittenBytes(this);

  get buffer(): Buffer {
    return this.#buffer;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written, and gives back what an oversized record took. */
  reset(): void {
    this.#length = 0;
    if (this.#buffer.length > RETAINED_BYTES) this.#replace(INITIAL_BYTES);
  }

  /** Takes back everything from `length` on. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Appends bytes that are encoded already. */
  encoded(bytes: Uint8Array): void {
    this.#copy(bytes, 0, bytes.length);
  }

  absent(nullBranch: NullBranch): void {
    this.#byte(nullBranch << 1);
  }

  present(nullBranch: NullBranch): void {
    this.#byte((1 - nullBranch) << 1);
  }

  retract(nullBranch: NullBranch): void {
    this.#buffer[this.#length - 1] = nullBranch << 1;
  }

  boolean(value: boolean): void {
    this.#byte(value ? 1 : 0);
  }

  int(value: number): void {
    this.#varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  long(high: number, low: number): void {
    const sign = (high | 0) >> 31;
    let zigzagLow = ((low << 1) ^ sign) >>> 0;
    let zigzagHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
    this.#reserve(MAX_VARINT_BYTES);
    const buffer = this.#buffer;
    let at = this.#length;
    while (zigzagHigh !== 0) {
      buffer[at++] = (zigzagLow & 0x7f) | 0x80;
      zigzagLow = ((zigzagLow >>> 7) | (zigzagHigh << 25)) >>> 0;
      zigzagHigh >>>= 7;
    }
    while (zigzagLow > 0x7f) {
      buffer[at++] = (zigzagLow & 0x7f) | 0x80;
      zigzagLow >>>= 7;
    }
    buffer[at++] = zigzagLow;
    this.#length = at;
  }

  safeLong(value: number): void {
    if (value === (value | 0)) this.int(value);
    else this.long(Math.floor(value / TWO_TO_32) | 0, value >>> 0);
  }

  float(value: number): void {
    this.#number.setFloat32(0, value, true);
    this.#copy(this.#numberBytes, 0, 4);
  }

  double(value: number): void {
    this.#number.setFloat64(0, value, true);
    this.#copy(this.#numberBytes, 0, 8);
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#count(end - start);
    this.#copy(bytes, start, end);
  }

  text(value: string): void {
    if (value.length > LOOP_BYTES) {
      this.#longText(value);
      return;
    }
    this.#reserve(1 + LOOP_BYTES);
    const buffer = this.#buffer;
    let at = this.#length;
    buffer[at++] = value.length << 1;
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) {
        this.#longText(value);
        return;
      }
      buffer[at++] = unit;
    }
    this.#length = at;
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#count(end - start);
    this.#copy(bytes, start, end);
  }

  decimal(ascii: Uint8Array, start: number, end: number, scale: number): void {
    this.#decimal.parse(ascii, start, end, scale);
    this.#unscaled();
  }

  safeDecimal(unscaled: number, _scale: number): void {
    this.#decimal.set(unscaled);
    this.#unscaled();
  }

  beginStruct(): void {}
  field(_name: string): void {}
  endStruct(): void {}

  beginArray(count: number): void {
    if (count > 0) this.#count(count);
  }

  endArray(): void {
    this.#byte(0);
  }

  beginMap(count: number): void {
    if (count > 0) this.#count(count);
  }

  mapKey(bytes: Uint8Array, start: number, end: number): void {
    this.utf8(bytes, start, end);
  }

  endMap(): void {
    this.#byte(0);
  }

  constant(fragment: ConstantFragment, write: (out: ValueWriter) => void): void {
    if (fragment.length > 0) {
      this.#copy(fragment.bytes, 0, fragment.length);
      return;
    }
    const start = this.#length;
    write(this);
    fragment.keep(this.#buffer, start, this.#length);
  }

  #unscaled(): void {
    const { bytes, start } = this.#decimal;
    this.bytes(bytes, start, bytes.length);
  }

  #longText(value: string): void {
    const size = Buffer.byteLength(value, 'utf8');
    this.#count(size);
    this.#reserve(size);
    this.#length += this.#buffer.write(value, this.#length, size === value.length ? 'latin1' : 'utf8');
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length++] = value;
  }

  /** A length or an item count: a long that is never negative. */
  #count(value: number): void {
    if (value < 0x4000_0000) this.#varint(value << 1);
    else this.safeLong(value);
  }

  #varint(zigzag: number): void {
    this.#reserve(MAX_VARINT_BYTES);
    const buffer = this.#buffer;
    let at = this.#length;
    let rest = zigzag;
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[at++] = rest;
    this.#length = at;
  }

  #copy(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.#reserve(size);
    if (size > LOOP_BYTES) {
      copyBytes(source, start, end, this.#buffer, this.#length);
      this.#length += size;
      return;
    }
    const buffer = this.#buffer;
    let at = this.#length;
    for (let i = start; i < end; i++) buffer[at++] = source[i]!;
    this.#length = at;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#grow(this.#length + bytes);
  }

  /** To twice the size; what is large already grows by less, because one large value is most of it. */
  #grow(needed: number): void {
    const { length } = this.#buffer;
    this.#replace(Math.max(needed, length + (length > RETAINED_BYTES ? length >>> 2 : length)));
  }

  #replace(bytes: number): void {
    const replaced = this.#buffer;
    this.#buffer = allocateBuffer(bytes);
    replaced.copy(this.#buffer, 0, 0, this.#length);
    freeBuffer(replaced);
  }
}

class WrittenBytes implements OutputBuffer {
  readonly #writer: AvroWriter;

  constructor(writer: AvroWriter) {
    this.#writer = writer;
  }

  get bytes(): Buffer {
    return this.#writer.buffer;
  }

  get length(): number {
    return this.#writer.length;
  }

  reset(): void {
    this.#writer.reset();
  }
}
