/** Builds the body of a request in Kafka's primitive types (compact forms only: every request we send is flexible). */
export class WireWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 512) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** What was written since the last `reset`; shares memory with the writer. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  int8(value: number): void {
    this.#length = this.#room(1).writeInt8(value, this.#length);
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int16(value: number): void {
    this.#length = this.#room(2).writeInt16BE(value, this.#length);
  }

  int32(value: number): void {
    this.#length = this.#room(4).writeInt32BE(value, this.#length);
  }

  int64(value: bigint): void {
    this.#length = this.#room(8).writeBigInt64BE(value, this.#length);
  }

  /** UNSIGNED_VARINT of a non-negative number below 2^31. */
  unsignedVarint(value: number): void {
    const bytes = this.#room(5);
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.#length++] = rest;
  }

  /** COMPACT_STRING. */
  string(text: string): void {
    const size = Buffer.byteLength(text);
    this.unsignedVarint(size + 1);
    this.#length += this.#room(size).write(text, this.#length, 'utf8');
  }

  /** COMPACT_NULLABLE_STRING. */
  nullableString(text: string | null): void {
    if (text === null) this.unsignedVarint(0);
    else this.string(text);
  }

  /** NULLABLE_STRING with a 16-bit length: only in request headers and SaslHandshake, which never became flexible. */
  legacyNullableString(text: string | null): void {
    if (text === null) {
      this.int16(-1);
      return;
    }
    const size = Buffer.byteLength(text);
    this.int16(size);
    this.#length += this.#room(size).write(text, this.#length, 'utf8');
  }

  /** COMPACT_BYTES. */
  bytes(value: Uint8Array): void {
    this.unsignedVarint(value.length + 1);
    this.raw(value);
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    this.#room(value.length).set(value, this.#length);
    this.#length += value.length;
  }

  /** COMPACT_ARRAY. */
  array<T>(items: readonly T[], write: (item: T) => void): void {
    this.unsignedVarint(items.length + 1);
    for (const item of items) write(item);
  }

  /** A null COMPACT_ARRAY. */
  nullArray(): void {
    this.unsignedVarint(0);
  }

  /** UUID of zeros: "not by id". */
  zeroUuid(): void {
    this.#room(16).fill(0, this.#length, this.#length + 16);
    this.#length += 16;
  }

  /** An empty TAG_BUFFER. */
  noTags(): void {
    this.int8(0);
  }

  #room(size: number): Buffer {
    const needed = this.#length + size;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
