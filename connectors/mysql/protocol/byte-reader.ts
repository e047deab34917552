import { ProtocolError } from './protocol-error.ts';

/** Bounds-checked reading of one event. For what is rare; rows are scanned in place. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    if (start > end || end > bytes.length) throw new ProtocolError('an event ends inside of its header');
    this.#bytes = bytes;
    this.#end = end;
    this.#at = start;
  }

  get position(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  uint8(): number {
    return this.#bytes[this.skip(1)] as number;
  }

  uint16(): number {
    return this.#bytes.readUInt16LE(this.skip(2));
  }

  uint24(): number {
    return this.#bytes.readUIntLE(this.skip(3), 3);
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.skip(4));
  }

  uint48(): number {
    return this.#bytes.readUIntLE(this.skip(6), 6);
  }

  /** 56 bits, of which a number holds 53. */
  uint56(): number {
    const at = this.skip(7);
    return this.#safe(this.#bytes.readUInt32LE(at), this.#bytes.readUIntLE(at + 4, 3));
  }

  /** @throws ProtocolError beyond 2^53. */
  uint64(): number {
    const at = this.skip(8);
    return this.#safe(this.#bytes.readUInt32LE(at), this.#bytes.readUInt32LE(at + 4));
  }

  /**
   * A length-encoded integer.
   * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
   */
  lengthEncoded(): number {
    const first = this.uint8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint16();
    if (first === 0xfd) return this.uint24();
    if (first === 0xfe) return this.uint64();
    throw new ProtocolError('a length is not a length');
  }

  utf8(length: number): string {
    const at = this.skip(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  hex(length: number): string {
    const at = this.skip(length);
    return this.#bytes.toString('hex', at, at + length);
  }

  /** A copy: it outlives the event. */
  copy(length: number): Buffer {
    const at = this.skip(length);
    return Buffer.from(this.#bytes.subarray(at, at + length));
  }

  /** A zero-terminated UTF-8 string. */
  terminated(): string {
    const zero = this.#bytes.indexOf(0, this.#at);
    if (zero < 0 || zero >= this.#end) throw new ProtocolError('a string has no end');
    const text = this.#bytes.toString('utf8', this.#at, zero);
    this.#at = zero + 1;
    return text;
  }

  /** A reader of the next `length` bytes, which are stepped over. */
  part(length: number): ByteReader {
    const at = this.skip(length);
    return new ByteReader(this.#bytes, at, at + length);
  }

  /** Steps over `length` bytes and returns where they start. */
  skip(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.#end) throw new ProtocolError('an event is shorter than its content');
    this.#at = at + length;
    return at;
  }

  #safe(low: number, high: number): number {
    if (high >= 0x20_0000) throw new ProtocolError('a number is beyond 2^53');
    return high * 0x1_0000_0000 + low;
  }
}
