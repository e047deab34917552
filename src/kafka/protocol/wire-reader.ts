/** A response that ends early or claims an impossible length: the connection it came over cannot be trusted any more. */
export class MalformedResponseError extends Error {
  override readonly name = 'MalformedResponseError';
}

/** Reads a response in Kafka's primitive types (compact forms). @throws MalformedResponseError past the end. */
export class WireReader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  int8(): number {
    return this.#bytes.readInt8(this.#advance(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#advance(8));
  }

  /** An INT64 that fits a double exactly: an offset, a time. */
  safeInt64(): number {
    const at = this.#advance(8);
    const value = this.#bytes.readInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
    // No offset and no time comes to 2^53: rounded, it would be another one.
    if (!Number.isSafeInteger(value))
      throw new MalformedResponseError('a number in a Kafka response is impossibly large');
    return value;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#advance(1)]!;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedResponseError('a varint in a Kafka response is longer than 5 bytes');
  }

  string(): string {
    const text = this.nullableString();
    if (text === null) throw new MalformedResponseError('a string in a Kafka response is null and must not be');
    return text;
  }

  nullableString(): string | null {
    const size = this.unsignedVarint() - 1;
    if (size < 0) return null;
    const at = this.#advance(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  /** NULLABLE_STRING with a 16-bit length. */
  legacyNullableString(): string | null {
    const size = this.int16();
    if (size < 0) return null;
    const at = this.#advance(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  /** COMPACT_NULLABLE_BYTES; shares memory with the response. */
  nullableBytes(): Buffer | null {
    const size = this.unsignedVarint() - 1;
    if (size < 0) return null;
    const at = this.#advance(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** COMPACT_ARRAY; a null array is an empty one. */
  array<T>(read: () => T): T[] {
    return this.#items(this.unsignedVarint() - 1, read);
  }

  /** ARRAY with a 32-bit count. */
  legacyArray<T>(read: () => T): T[] {
    return this.#items(this.int32(), read);
  }

  /** Hexadecimal text of a UUID, or '' for the zero UUID. */
  uuid(): string {
    const at = this.#advance(16);
    const text = this.#bytes.toString('hex', at, at + 16);
    return text === '00000000000000000000000000000000' ? '' : text;
  }

  /** Reads a TAG_BUFFER; `onTag` gets a reader of each tag's value. */
  tags(onTag?: (tag: number, value: WireReader) => void): void {
    const count = this.unsignedVarint();
    for (let i = 0; i < count; i++) {
      const tag = this.unsignedVarint();
      const size = this.unsignedVarint();
      const at = this.#advance(size);
      onTag?.(tag, new WireReader(this.#bytes.subarray(at, at + size)));
    }
  }

  #items<T>(count: number, read: () => T): T[] {
    // Each item takes at least one byte: a count beyond that is garbage and must not allocate.
    if (count > this.remaining)
      throw new MalformedResponseError('an array in a Kafka response is longer than the response');
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  #advance(size: number): number {
    const at = this.#at;
    if (size < 0 || at + size > this.#bytes.length) {
      throw new MalformedResponseError(`a Kafka response ends after ${this.#bytes.length} bytes, earlier than it says`);
    }
    this.#at = at + size;
    return at;
  }
}
