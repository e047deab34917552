/** Bytes that are not a value of the schema, or a schema that is not Avro. */
export class AvroDecodeError extends Error {
  override readonly name = 'AvroDecodeError';
}

const MAX_VARINT_BYTES = 10;
const MAX_NESTING = 200;
const strictText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads Avro's binary encoding. Never past the end, never a number other than the one that was written.
 * @see https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class AvroReader {
  readonly #bytes: Buffer;
  #at: number;
  #nesting = 0;

  constructor(bytes: Buffer, start = 0) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  boolean(): boolean {
    const byte = this.#bytes[this.#advance(1)]!;
    if (byte > 1) throw new AvroDecodeError(`a boolean is ${byte}`);
    return byte === 1;
  }

  /** A zigzag varint of at most 64 bits. */
  long(): bigint {
    let raw = 0n;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.#bytes[this.#advance(1)]!;
      raw |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) {
        if (raw >= 1n << 64n) break;
        return (raw >> 1n) ^ -(raw & 1n);
      }
    }
    throw new AvroDecodeError('a number has more than 64 bits');
  }

  int(): number {
    const value = this.long();
    if (value !== BigInt.asIntN(32, value)) throw new AvroDecodeError('an int has more than 32 bits');
    return Number(value);
  }

  float(): number {
    return this.#bytes.readFloatLE(this.#advance(4));
  }

  double(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** A copy. */
  bytes(): Buffer {
    return this.fixed(this.#length());
  }

  /** A copy. */
  fixed(size: number): Buffer {
    const at = this.#advance(size);
    return Buffer.from(this.#bytes.subarray(at, at + size));
  }

  text(): string {
    const size = this.#length();
    const at = this.#advance(size);
    try {
      return strictText.decode(this.#bytes.subarray(at, at + size));
    } catch (error) {
      throw new AvroDecodeError('a text is not UTF-8', { cause: error });
    }
  }

  /** The items of an array or map, block after block. */
  blocks(readItem: () => void): void {
    for (;;) {
      let count = this.long();
      if (count === 0n) return;
      if (count < 0n) {
        // The size of the block in bytes, for readers that skip it.
        this.#length();
        count = -count;
      }
      // An item takes at least one byte, unless its type is empty, which nobody puts into thousands.
      if (count > BigInt(this.remaining + 1000)) throw new AvroDecodeError('a block is longer than the record');
      for (let i = 0n; i < count; i++) readItem();
    }
  }

  /** Runs `read` one level deeper: a value of a recursive type must not exhaust the stack. */
  nested<T>(read: () => T): T {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw new AvroDecodeError(`values are nested deeper than ${MAX_NESTING}`);
    const value = read();
    this.#nesting -= 1;
    return value;
  }

  #length(): number {
    const length = this.long();
    if (length < 0n || length > BigInt(this.remaining)) throw new AvroDecodeError('a length reaches beyond the record');
    return Number(length);
  }

  #advance(size: number): number {
    const at = this.#at;
    if (size > this.remaining) throw new AvroDecodeError('the record ends early');
    this.#at = at + size;
    return at;
  }
}
