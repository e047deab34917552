import { crc32 } from 'node:zlib';

/** From here on the library is faster, although it needs a view of the bytes. */
const LARGE_BYTES = 256;
const POLYNOMIAL = 0xedb8_8320;

/** What a byte comes to that 0 to 3 other bytes follow. */
const [LAST, THIRD, SECOND, FIRST] = tables();

/**
 * CRC-32 of `bytes[start, end)`, unsigned: what a binlog event ends with. Most events are small, and there are several of
 * them for each transaction: four bytes a step here, which makes no object.
 * @see https://www.w3.org/TR/png/#D-CRCAppendix (the same checksum)
 */
export function eventChecksum(bytes: Buffer, start: number, end: number): number {
  if (end - start >= LARGE_BYTES) return crc32(bytes.subarray(start, end));
  let crc = -1;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = FIRST[crc & 0xff]! ^ SECOND[(crc >>> 8) & 0xff]! ^ THIRD[(crc >>> 16) & 0xff]! ^ LAST[crc >>> 24]!;
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ LAST[(crc ^ bytes[at]!) & 0xff]!;
  return ~crc >>> 0;
}

function tables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const last = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    last[byte] = crc;
  }
  const third = last.map((crc) => followed(crc, last));
  const second = third.map((crc) => followed(crc, last));
  return [last, third, second, second.map((crc) => followed(crc, last))];
}

/** By a byte of zeros. */
function followed(crc: number, last: Int32Array): number {
  return (crc >>> 8) ^ last[crc & 0xff]!;
}
