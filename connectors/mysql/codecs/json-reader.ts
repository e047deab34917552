import { TypeCode } from '../protocol/type-code.ts';
import { readDecimal } from './decimal.ts';
import { doubleText } from './double-text.ts';
import { JsonTextBuffer } from './json-text-buffer.ts';
import { malformed } from './malformed.ts';

/** Type bytes of the binary form: json_binary.h of the server. */
const SMALL_OBJECT = 0;
const LARGE_OBJECT = 1;
const SMALL_ARRAY = 2;
const LARGE_ARRAY = 3;
const LITERAL = 4;
const INT16 = 5;
const UINT16 = 6;
const INT32 = 7;
const UINT32 = 8;
const INT64 = 9;
const UINT64 = 10;
const DOUBLE = 11;
const STRING = 12;
const OPAQUE = 15;

const LITERALS = ['null', 'true', 'false'];
/** The server stores no document that is deeper than 100. */
const MAX_DEPTH = 128;

/**
 * Reads MySQL's binary JSON and prints it as the server does.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html
 */
export class JsonReader {
  readonly #out = new JsonTextBuffer();
  #bytes: Buffer = Buffer.alloc(0);
  #contentEnd = 0;

  /** @returns text that the next call overwrites. @throws MalformedValueError */
  read(bytes: Buffer, start: number, end: number): JsonTextBuffer {
    this.#out.begin();
    this.#bytes = bytes;
    // A value that was never set although the column forbids null is logged without bytes.
    if (start === end) this.#out.ascii('null');
    else this.#value(bytes[start] as number, start + 1, end, 0);
    return this.#out;
  }

  #value(type: number, at: number, end: number, depth: number): void {
    if (depth > MAX_DEPTH) throw malformed('JSON');
    const bytes = this.#bytes;
    const out = this.#out;
    switch (type) {
      case SMALL_OBJECT:
      case LARGE_OBJECT:
        this.#container(true, type === LARGE_OBJECT ? 4 : 2, at, end, depth);
        return;
      case SMALL_ARRAY:
      case LARGE_ARRAY:
        this.#container(false, type === LARGE_ARRAY ? 4 : 2, at, end, depth);
        return;
      case LITERAL:
        need(at, 1, end);
        out.ascii(literal(bytes[at] as number));
        return;
      case INT16:
        need(at, 2, end);
        out.integer(bytes.readInt16LE(at));
        return;
      case UINT16:
        need(at, 2, end);
        out.integer(bytes.readUInt16LE(at));
        return;
      case INT32:
        need(at, 4, end);
        out.integer(bytes.readInt32LE(at));
        return;
      case UINT32:
        need(at, 4, end);
        out.integer(bytes.readUInt32LE(at));
        return;
      case INT64:
        need(at, 8, end);
        out.ascii(String(bytes.readBigInt64LE(at)));
        return;
      case UINT64:
        need(at, 8, end);
        out.ascii(String(bytes.readBigUInt64LE(at)));
        return;
      case DOUBLE:
        need(at, 8, end);
        out.ascii(doubleText(bytes.readDoubleLE(at)));
        return;
      case STRING: {
        const start = this.#sized(at, end);
        out.string(bytes, start, this.#contentEnd);
        return;
      }
      case OPAQUE: {
        need(at, 1, end);
        const start = this.#sized(at + 1, end);
        this.#opaque(bytes[at] as number, start, this.#contentEnd);
        return;
      }
      default:
        throw malformed('JSON');
    }
  }

  /** `width` is the size of offsets and counts: small containers have two bytes for them. */
  #container(isObject: boolean, width: 2 | 4, start: number, outerEnd: number, depth: number): void {
    const out = this.#out;
    need(start, 2 * width, outerEnd);
    const count = this.#number(start, width);
    const size = this.#number(start + width, width);
    const end = start + size;
    const keys = start + 2 * width;
    const values = keys + (isObject ? count * (width + 2) : 0);
    if (end > outerEnd || values + count * (1 + width) > end) throw malformed('JSON');
    out.ascii(isObject ? '{' : '[');
    for (let index = 0; index < count; index++) {
      if (index > 0) out.ascii(', ');
      if (isObject) {
        const entry = keys + index * (width + 2);
        const key = start + this.#number(entry, width);
        const length = this.#number(entry + width, 2);
        if (key + length > end) throw malformed('JSON');
        out.string(this.#bytes, key, key + length);
        out.ascii(': ');
      }
      const entry = values + index * (1 + width);
      const type = this.#bytes[entry] as number;
      if (isInlined(type, width)) this.#value(type, entry + 1, entry + 1 + width, depth + 1);
      else {
        const at = start + this.#number(entry + 1, width);
        if (at >= end) throw malformed('JSON');
        this.#value(type, at, end, depth + 1);
      }
    }
    out.ascii(isObject ? '}' : ']');
  }

  #number(at: number, width: 2 | 4): number {
    const bytes = this.#bytes;
    // The caller knows that they are there: Buffer's own methods would look again.
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    return width === 2 ? low : (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
  }

  /**
   * A length of 7 bits a byte, the highest bit saying that another follows, then as many bytes.
   * @returns where these start; they end at `#contentEnd`.
   */
  #sized(start: number, end: number): number {
    let length = 0;
    let at = start;
    for (let shift = 1; ; shift *= 128) {
      need(at, 1, end);
      const byte = this.#bytes[at] as number;
      at += 1;
      length += (byte & 0x7f) * shift;
      if (byte < 0x80) break;
      if (at - start > 5) throw malformed('JSON');
    }
    need(at, length, end);
    this.#contentEnd = at + length;
    return at;
  }

  /** Values of SQL types that JSON does not have. */
  #opaque(type: number, start: number, end: number): void {
    const bytes = this.#bytes;
    const out = this.#out;
    switch (type) {
      case TypeCode.newDecimal: {
        need(start, 2, end);
        const text = readDecimal(bytes, start + 2, end, bytes[start] as number, bytes[start + 1] as number);
        out.ascii(Buffer.prototype.latin1Slice.call(text.bytes, 0, text.length));
        return;
      }
      case TypeCode.date:
        need(start, 8, end);
        out.ascii(`"${packedDate(bytes, start)}"`);
        return;
      case TypeCode.datetime:
      case TypeCode.timestamp:
        need(start, 8, end);
        out.ascii(`"${packedDate(bytes, start)} ${packedTime(bytes, start, 31)}"`);
        return;
      case TypeCode.time:
        need(start, 8, end);
        out.ascii(`"${packedDuration(bytes, start)}"`);
        return;
      default:
        out.ascii(`"base64:type${type}:${bytes.toString('base64', start, end)}"`);
    }
  }
}

function isInlined(type: number, width: 2 | 4): boolean {
  return type === LITERAL || type === INT16 || type === UINT16 || (width === 4 && (type === INT32 || type === UINT32));
}

function literal(value: number): string {
  const text = LITERALS[value];
  if (text === undefined) throw malformed('JSON');
  return text;
}

function need(at: number, length: number, end: number): void {
  if (at + length > end) throw malformed('JSON');
}

/*
 * Dates and times lie in 64 bits, little-endian: 24 bits of microseconds, then 17 of the time (hours, 6 of minutes, 6 of
 * seconds), 5 of the day, and year times 13 plus month.
 */
function packedDate(bytes: Buffer, at: number): string {
  const high = bytes.readUInt32LE(at + 4);
  const date = Math.floor(((high & 0x7fff_ffff) >>> 0) / 0x200);
  const yearMonth = Math.floor(date / 32);
  return `${pad(Math.floor(yearMonth / 13), 4)}-${pad(yearMonth % 13, 2)}-${pad(date % 32, 2)}`;
}

function packedTime(bytes: Buffer, at: number, hourMask: number): string {
  const low = bytes.readUInt32LE(at);
  const high = bytes.readUInt32LE(at + 4);
  const time = (high % 0x1000000) * 256 + (low >>> 24);
  const micros = low & 0xff_ffff;
  const hour = Math.floor(time / 4096) & hourMask;
  return `${pad(hour, 2)}:${pad((time >> 6) & 63, 2)}:${pad(time & 63, 2)}.${pad(micros, 6)}`;
}

function packedDuration(bytes: Buffer, at: number): string {
  if (bytes.readInt32LE(at + 4) >= 0) return packedTime(bytes, at, 0x3ff);
  const positive = Buffer.alloc(8);
  positive.writeBigInt64LE(-bytes.readBigInt64LE(at));
  return `-${packedTime(positive, 0, 0x3ff)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}
