import { binaryCodec, binaryWriter } from '../../../src/core/codecs/binary.ts';
import { Scratch } from '../../../src/core/codecs/scratch.ts';
import type { TypeModes } from '../pg-type.ts';
import { malformed, type PostgresCodec } from './codec.ts';

const decoded = new Scratch();
const HEX = '0123456789abcdef';

/** Values of hexadecimal digits by character code; 255 for every other byte. */
const NIBBLES = new Uint8Array(256).fill(255);
for (let value = 0; value < 16; value++) {
  NIBBLES[HEX.charCodeAt(value)] = value;
  NIBBLES[HEX.toUpperCase().charCodeAt(value)] = value;
}

/** `bytea` as `\x00ff` (`bytea_output=hex`). */
export function byteaCodec(modes: TypeModes): PostgresCodec {
  const write = binaryWriter(modes);
  return binaryCodec(modes, (bytes, start, end, out) => {
    if (bytes[start] !== 0x5c || bytes[start + 1] !== 0x78) throw malformed('bytea in hex format');
    const length = decodeHex(bytes, start + 2, end, 'bytea');
    write(decoded.bytes, 0, length, out);
    decoded.end();
  });
}

/** Decodes hexadecimal digits into memory that the next call overwrites. @returns the number of bytes */
export function decodeHex(bytes: Uint8Array, start: number, end: number, typeName: string): number {
  const length = (end - start) >>> 1;
  const target = decoded.begin(length);
  if (start > end || (end - start) % 2 !== 0) throw malformed(typeName);
  let seen = 0;
  for (let at = start, to = 0; to < length; at += 2, to++) {
    const high = NIBBLES[bytes[at]!]!;
    const low = NIBBLES[bytes[at + 1]!]!;
    seen |= high | low;
    target[to] = (high << 4) | low;
  }
  if (seen > 15) throw malformed(typeName);
  return length;
}

export function decodedHex(): Uint8Array {
  return decoded.bytes;
}
