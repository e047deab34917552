import type { Lsn } from './lsn.ts';
import { ProtocolError } from './protocol-error.ts';

/** Bounds-checked reading of one message. For the messages that are rare; rows are scanned in place. */
export class ByteReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get position(): number {
    return this.#at;
  }

  uint8(): number {
    return this.#bytes[this.#advance(1)] as number;
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  lsn(): Lsn {
    const at = this.#advance(8);
    return { high: this.#bytes.readUInt32BE(at), low: this.#bytes.readUInt32BE(at + 4) };
  }

  /** A timestamp of the protocol: microseconds since 2000-01-01, here since 1970. */
  timestampUs(): number {
    const at = this.#advance(8);
    const sinceEpoch2000 = this.#bytes.readInt32BE(at) * 0x1_0000_0000 + this.#bytes.readUInt32BE(at + 4);
    return sinceEpoch2000 + POSTGRES_EPOCH_US;
  }

  /** A zero-terminated UTF-8 string. */
  string(): string {
    const terminator = this.#bytes.indexOf(0, this.#at);
    if (terminator < 0 || terminator >= this.#end) throw new ProtocolError('a string has no end');
    const text = this.#bytes.toString('utf8', this.#at, terminator);
    this.#at = terminator + 1;
    return text;
  }

  /** Steps over `length` bytes and returns where they start. */
  skip(length: number): number {
    return this.#advance(length);
  }

  expectEnd(): void {
    if (this.#at !== this.#end) throw new ProtocolError(`${this.#end - this.#at} bytes are left over`);
  }

  #advance(length: number): number {
    const at = this.#at;
    if (length < 0 || at + length > this.#end) throw new ProtocolError('the message is shorter than its content');
    this.#at = at + length;
    return at;
  }
}

/** 2000-01-01, Postgres's epoch, in microseconds since 1970. */
export const POSTGRES_EPOCH_US = 946_684_800_000_000;
