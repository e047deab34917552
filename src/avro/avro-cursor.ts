import { AvroDecodeError } from './avro-reader.ts';

/**
 * Steps through Avro's binary encoding without making values of it: finds where they lie. Reused from record to record.
 * @see https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
 */
export class AvroCursor {
  bytes: Buffer = Buffer.alloc(0);
  at = 0;

  open(bytes: Buffer, start: number): this {
    this.bytes = bytes;
    this.at = start;
    return this;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }

  /** Steps over `size` bytes. @returns where they begin. */
  skip(size: number): number {
    const { at } = this;
    if (size < 0 || size > this.bytes.length - at) throw new AvroDecodeError('the record ends early');
    this.at = at + size;
    return at;
  }

  byte(): number {
    return this.bytes[this.skip(1)]!;
  }

  /** Steps over a varint of at most 64 bits. */
  skipVarint(): void {
    const { bytes } = this;
    for (let i = 0; i < 10; i++) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new AvroDecodeError('the record ends early');
      if (byte < 0x80) return;
    }
    throw new AvroDecodeError('a number has more than 64 bits');
  }

  /** A zigzag varint that must be a safe integer: a length, a count, a branch. */
  integer(): number {
    const { bytes } = this;
    let raw = 0;
    for (let power = 1; power < 2 ** 53; power *= 128) {
      const byte = bytes[this.at++];
      if (byte === undefined) throw new AvroDecodeError('the record ends early');
      raw += (byte & 0x7f) * power;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    throw new AvroDecodeError('a length or a count is impossible');
  }

  /** Steps over a length and as many bytes. @returns where the bytes begin; they end at `at`. */
  skipSized(): number {
    return this.skip(this.integer());
  }

  /** Calls `item` for each item of an array or map, block after block. */
  blocks(item: () => void): void {
    for (;;) {
      let count = this.integer();
      if (count === 0) return;
      if (count < 0) {
        // The size of the block in bytes, for readers that skip it.
        this.integer();
        count = -count;
      }
      // An item takes at least one byte, unless its type is empty, which nobody puts into thousands.
      if (count > this.remaining + 1000) throw new AvroDecodeError('a block is longer than the record');
      for (let i = 0; i < count; i++) item();
    }
  }
}
