import { malformed } from '../codecs/malformed.ts';
import type { TemporalParts } from '../codecs/temporal-parts.ts';

/**
 * DATE, DATETIME or TIMESTAMP of a binary row: nothing for zero, or year, month, day, then hour, minute, second, then
 * microseconds; what is left out at the end is zero.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_binary_resultset.html
 */
export function readBinaryDatetime(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  const buffer = bytes as Buffer;
  const size = end - start;
  if (size !== 0 && size !== 4 && size !== 7 && size !== 11) throw malformed('DATETIME');
  parts.year = size === 0 ? 0 : buffer.readUInt16LE(start);
  parts.month = size === 0 ? 0 : (bytes[start + 2] as number);
  parts.day = size === 0 ? 0 : (bytes[start + 3] as number);
  parts.hour = size < 7 ? 0 : (bytes[start + 4] as number);
  parts.minute = size < 7 ? 0 : (bytes[start + 5] as number);
  parts.second = size < 7 ? 0 : (bytes[start + 6] as number);
  parts.micros = size < 11 ? 0 : buffer.readUInt32LE(start + 7);
}

/** TIME of a binary row in microseconds: nothing for zero, or a sign, days, hour, minute, second, then microseconds. */
export function readBinaryTime(bytes: Uint8Array, start: number, end: number): number {
  const buffer = bytes as Buffer;
  const size = end - start;
  if (size !== 0 && size !== 8 && size !== 12) throw malformed('TIME');
  if (size === 0) return 0;
  const hours = buffer.readUInt32LE(start + 1) * 24 + (bytes[start + 5] as number);
  const seconds = hours * 3600 + (bytes[start + 6] as number) * 60 + (bytes[start + 7] as number);
  const micros = seconds * 1_000_000 + (size === 12 ? buffer.readUInt32LE(start + 8) : 0);
  return bytes[start] === 1 && micros !== 0 ? -micros : micros;
}
