/**
 * Zigzag varints of the record format (https://kafka.apache.org/documentation/#recordbatch). Lengths and deltas are
 * int32; only a timestamp delta can be wider.
 */

/** Bytes that `writeVarint` takes for an int32. */
export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes an int32; returns the position behind it. */
export function writeVarint(bytes: Buffer, at: number, value: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  let to = at;
  while (rest > 0x7f) {
    bytes[to++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[to++] = rest;
  return to;
}

const INT32_HALF = 0x4000_0000;

function isNarrow(value: number): boolean {
  return value < INT32_HALF && value >= -INT32_HALF;
}

/** Bytes that `writeVarlong` takes for a safe integer. */
export function varlongBytes(value: number): number {
  if (isNarrow(value)) return varintBytes(value);
  let rest = zigzagWide(value);
  let size = 1;
  while (rest > 0x7fn) {
    rest >>= 7n;
    size += 1;
  }
  return size;
}

/** Writes a safe integer; returns the position behind it. */
export function writeVarlong(bytes: Buffer, at: number, value: number): number {
  if (isNarrow(value)) return writeVarint(bytes, at, value);
  let rest = zigzagWide(value);
  let to = at;
  while (rest > 0x7fn) {
    bytes[to++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  bytes[to++] = Number(rest);
  return to;
}

/** Two records of one batch that are weeks apart: rare enough for BigInt. */
function zigzagWide(value: number): bigint {
  const wide = BigInt(value);
  return BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
}
