import type { ValueWriter } from '../../../src/core/value-writer.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';

const TWO_16 = 0x1_0000;
const TWO_32 = 0x1_0000_0000;
const MINUS = 0x2d;

export const int2 = codec(
  { type: 'int16' },
  (bytes, start, end, out) => {
    out.int(readInteger(bytes, start, end, -32_768, 32_767, 'int2'));
    return true;
  },
  (out) => out.int(0),
);

export const int4 = codec(
  { type: 'int32' },
  (bytes, start, end, out) => {
    out.int(readInteger(bytes, start, end, -2_147_483_648, 2_147_483_647, 'int4'));
    return true;
  },
  (out) => out.int(0),
);

export const int8: PostgresCodec = codec(
  { type: 'int64' },
  (bytes, start, end, out) => {
    writeInt8(bytes, start, end, out);
    return true;
  },
  (out) => out.safeLong(0),
);

/** Unsigned, hence a 64-bit integer in Connect. */
export const oid = codec(
  { type: 'int64' },
  (bytes, start, end, out) => {
    out.safeLong(readInteger(bytes, start, end, 0, 4_294_967_295, 'oid'));
    return true;
  },
  (out) => out.safeLong(0),
);

/** Reads an optionally signed decimal integer of at most ten digits. */
export function readInteger(
  bytes: Uint8Array,
  start: number,
  end: number,
  minimum: number,
  maximum: number,
  typeName: string,
): number {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (end <= first || end - first > 10) throw malformed(typeName);
  let magnitude = 0;
  for (let at = first; at < end; at++) magnitude = magnitude * 10 + digit(bytes, at, typeName);
  const value = negative ? 0 - magnitude : magnitude;
  if (value < minimum || value > maximum) throw malformed(typeName);
  return value;
}

function writeInt8(bytes: Uint8Array, start: number, end: number, out: ValueWriter): void {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 19) throw malformed('int8');
  if (digits <= 15) {
    let magnitude = 0;
    for (let at = first; at < end; at++) magnitude = magnitude * 10 + digit(bytes, at, 'int8');
    out.safeLong(negative ? 0 - magnitude : magnitude);
    return;
  }
  // More than a double holds exactly: the leading digits and the last nine are put together as 32-bit halves.
  const split = end - 9;
  let leading = 0;
  for (let at = first; at < split; at++) leading = leading * 10 + digit(bytes, at, 'int8');
  let trailing = 0;
  for (let at = split; at < end; at++) trailing = trailing * 10 + digit(bytes, at, 'int8');
  const leadingHigh = Math.floor(leading / TWO_16);
  const upper = leadingHigh * 1e9;
  const lower = (leading - leadingHigh * TWO_16) * 1e9 + trailing + (upper % TWO_16) * TWO_16;
  const carry = Math.floor(lower / TWO_32);
  const high = Math.floor(upper / TWO_16) + carry;
  const low = lower - carry * TWO_32;
  if (high >= 0x8000_0000 && !(negative && high === 0x8000_0000 && low === 0)) throw malformed('int8');
  if (negative) out.long(low === 0 ? -high | 0 : ~high, -low >>> 0);
  else out.long(high, low);
}

function digit(bytes: Uint8Array, at: number, typeName: string): number {
  const value = bytes[at]! - 0x30;
  if (value < 0 || value > 9) throw malformed(typeName);
  return value;
}
