import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { ConnectScalar } from '../../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { bytesOf, DIGIT_BYTES, DIGITS_PER_WORD } from '../protocol/decimal-words.ts';
import { malformed } from './malformed.ts';
import { SAFE_DIGITS, unscaledReader } from './safe-decimal.ts';

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO_DIGIT = 0x30;

const scratch = new Scratch();

export function decimalSchema(precision: number, scale: number): ConnectScalar {
  return semantic('bytes', 'org.apache.kafka.connect.data.Decimal', [
    ['scale', String(scale)],
    ['connect.decimal.precision', String(precision)],
  ]);
}

/** DECIMAL(precision, scale) by the mode of `types.decimal`. */
export function decimalCodec(precision: number, scale: number, modes: TypeModes): ColumnCodec {
  const zero = Uint8Array.of(ZERO_DIGIT);
  switch (modes.decimal) {
    case 'precise':
      if (precision <= SAFE_DIGITS) return safeDecimalCodec(precision, scale);
      return columnCodec(
        decimalSchema(precision, scale),
        (bytes, start, end, out) => {
          readDecimal(bytes, start, end, precision, scale);
          out.decimal(scratch.bytes, 0, scratch.length, scale);
          return true;
        },
        (out) => out.decimal(zero, 0, 1, scale),
      );
    case 'double':
      return columnCodec(
        { type: 'float64' },
        (bytes, start, end, out) => {
          readDecimal(bytes, start, end, precision, scale);
          out.double(Number(Buffer.prototype.latin1Slice.call(scratch.bytes, 0, scratch.length)));
          return true;
        },
        (out) => out.double(0),
      );
    case 'string':
      return columnCodec(
        { type: 'string' },
        (bytes, start, end, out) => {
          readDecimal(bytes, start, end, precision, scale);
          out.utf8(scratch.bytes, 0, scratch.length);
          return true;
        },
        (out) => out.text('0'),
      );
  }
}

/** Numbers of so few digits need no text in between. */
function safeDecimalCodec(precision: number, scale: number): ColumnCodec {
  const read = unscaledReader(precision, scale);
  return columnCodec(
    decimalSchema(precision, scale),
    (bytes, start, end, out) => {
      out.safeDecimal(read(bytes, start, end), scale);
      return true;
    },
    (out) => out.safeDecimal(0, scale),
  );
}

/**
 * Puts the number into `scratch` as ASCII. Nine digits lie in four bytes, big-endian, on both sides of the point; the first
 * bit is inverted, and all of a negative number are.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/decimal_8h.html (decimal2bin)
 */
export function readDecimal(bytes: Uint8Array, start: number, end: number, precision: number, scale: number): Scratch {
  const whole = precision - scale;
  const size = bytesOf(whole) + bytesOf(scale);
  if (end - start !== size || size === 0) throw malformed('DECIMAL');
  const negative = ((bytes[start] as number) & 0x80) === 0;
  const mask = negative ? 0xff : 0;
  scratch.begin(precision + 3);
  if (negative) scratch.bytes[scratch.length++] = MINUS;
  const wholeStart = scratch.length;
  let at = start;
  for (let left = whole; left > 0; ) {
    const digits = left % DIGITS_PER_WORD || DIGITS_PER_WORD;
    at = appendWord(bytes, at, start, mask, digits);
    left -= digits;
  }
  dropZeros(wholeStart);
  if (scale > 0) scratch.bytes[scratch.length++] = POINT;
  for (let left = scale; left > 0; ) {
    const digits = Math.min(left, DIGITS_PER_WORD);
    at = appendWord(bytes, at, start, mask, digits);
    left -= digits;
  }
  return scratch;
}

/** Appends the digits of the word at `at` of the number that begins at `start`. @returns where the word ends. */
function appendWord(bytes: Uint8Array, at: number, start: number, mask: number, digits: number): number {
  const end = at + (DIGIT_BYTES[digits] as number);
  let rest = 0;
  for (let index = at; index < end; index++) {
    const first = index === start ? 0x80 : 0;
    rest = rest * 256 + (((bytes[index] as number) ^ mask ^ first) & 0xff);
  }
  for (let place = scratch.length + digits - 1; place >= scratch.length; place--) {
    const quotient = Math.floor(rest / 10);
    scratch.bytes[place] = ZERO_DIGIT + (rest - quotient * 10);
    rest = quotient;
  }
  if (rest > 0) throw malformed('DECIMAL');
  scratch.length += digits;
  return end;
}

/** Leading zeros before the point, of which one stays. */
function dropZeros(from: number): void {
  const { bytes } = scratch;
  let digit = from;
  while (digit < scratch.length - 1 && bytes[digit] === ZERO_DIGIT) digit += 1;
  if (scratch.length === from) {
    bytes[scratch.length++] = ZERO_DIGIT;
    return;
  }
  if (digit === from) return;
  bytes.copyWithin(from, digit, scratch.length);
  scratch.length -= digit - from;
}
