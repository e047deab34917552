import { freeBuffer } from '../../../src/core/free-buffer.ts';

/** More than this is not kept for the next document. */
const RETAINED_BYTES = 1024 * 1024;
/** Up to this many characters a loop is faster than a call into the runtime. */
const LOOP_CHARACTERS = 20;
const HEX = '0123456789abcdef';
/** Digits of an integer of 32 bits, at most. */
const MAX_DIGITS = 10;

/** Short escapes by character code; 0 where a character has none. */
const ESCAPES = new Uint8Array(128);
ESCAPES[0x22] = 0x22;
ESCAPES[0x5c] = 0x5c;
ESCAPES[0x08] = 0x62;
ESCAPES[0x0c] = 0x66;
ESCAPES[0x0a] = 0x6e;
ESCAPES[0x0d] = 0x72;
ESCAPES[0x09] = 0x74;

/** UTF-8 text of a JSON document, which grows as it is written. */
export class JsonTextBuffer {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  length = 0;

  begin(): void {
    this.length = 0;
  }

  /** The text was used. Gives back what a large one took. */
  end(): void {
    if (this.bytes.length <= RETAINED_BYTES) return;
    freeBuffer(this.bytes);
    this.bytes = Buffer.allocUnsafeSlow(4096);
  }

  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    if (length > LOOP_CHARACTERS) {
      this.length += this.bytes.write(text, this.length, 'latin1');
      return;
    }
    const target = this.bytes;
    let to = this.length;
    for (let index = 0; index < length; index++) target[to++] = text.charCodeAt(index);
    this.length = to;
  }

  /** An integer of at most 32 bits. */
  integer(value: number): void {
    this.#reserve(MAX_DIGITS + 1);
    const target = this.bytes;
    if (value < 0) target[this.length++] = 0x2d;
    let rest = Math.abs(value);
    let digits = 1;
    for (let limit = 10; digits < MAX_DIGITS && rest >= limit; limit *= 10) digits += 1;
    const end = this.length + digits;
    for (let at = end - 1; at >= this.length; at--) {
      // To 32 bits without a sign, which is a multiplication for the compiler: a division of doubles is not.
      const quotient = (rest / 10) >>> 0;
      target[at] = 0x30 + (rest - quotient * 10);
      rest = quotient;
    }
    this.length = end;
  }

  /** A string in quotes, escaped as the server does. */
  string(bytes: Buffer, start: number, end: number): void {
    this.#reserve((end - start) * 6 + 2);
    const target = this.bytes;
    let to = this.length;
    target[to++] = 0x22;
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number;
      const short = byte < 0x80 ? (ESCAPES[byte] as number) : 0;
      if (short !== 0) {
        target[to++] = 0x5c;
        target[to++] = short;
      } else if (byte < 0x20) {
        to += target.write(`\\u00${HEX[byte >> 4]}${HEX[byte & 15]}`, to, 'latin1');
      } else target[to++] = byte;
    }
    target[to++] = 0x22;
    this.length = to;
  }

  #reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + more));
    this.bytes.copy(larger, 0, 0, this.length);
    freeBuffer(this.bytes);
    this.bytes = larger;
  }
}
