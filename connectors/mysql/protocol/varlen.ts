import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * A variable-length unsigned integer of the server's serialization library: as many ones at the low end of the first byte
 * as bytes follow it, the value in the bits above, little-endian.
 * @throws ProtocolError beyond 2^53
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html
 */
export function readVarlen(reader: ByteReader): number {
  const first = reader.uint8();
  let following = 0;
  while (following < 8 && ((first >> following) & 1) === 1) following += 1;
  const ownBits = following < 8 ? 7 - following : 0;
  let value = 0;
  let unit = 1;
  if (ownBits > 0) {
    value = first >> (following + 1);
    unit = 2 ** ownBits;
  }
  for (let index = 0; index < following; index++) {
    value += reader.uint8() * unit;
    unit *= 256;
  }
  if (value > Number.MAX_SAFE_INTEGER) throw new ProtocolError('a number is beyond 2^53');
  return value;
}

/** Signed integers have the sign in the lowest bit. */
export function readSignedVarlen(reader: ByteReader): number {
  const encoded = readVarlen(reader);
  return encoded % 2 === 0 ? encoded / 2 : -(encoded + 1) / 2;
}

/** Steps over a number of any size. */
export function skipVarlen(reader: ByteReader): void {
  const first = reader.uint8();
  let following = 0;
  while (following < 8 && ((first >> following) & 1) === 1) following += 1;
  reader.skip(following);
}

/** @param value below 2^14 */
export function appendVarlen(value: number, to: number[]): void {
  if (value < 0x80) to.push(value << 1);
  else to.push(((value << 2) & 0xff) | 1, value >> 6);
}
