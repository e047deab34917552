import { civilFromDays, daysFromCivil, isCivilDate } from '../../../src/core/codecs/civil-date.ts';
import { malformed } from './malformed.ts';

/** What a DATE, DATETIME or TIMESTAMP says. One object per codec module is reused. */
export class TemporalParts {
  year = 0;
  month = 0;
  day = 0;
  hour = 0;
  minute = 0;
  second = 0;
  micros = 0;

  /** False for zero dates, partial zero dates and days that their month does not have. */
  isDate(): boolean {
    return isCivilDate(this.year, this.month, this.day);
  }

  days(): number {
    return daysFromCivil(this.year, this.month, this.day);
  }

  /** Whole seconds since 1970-01-01T00:00:00; `micros` come on top. */
  epochSeconds(): number {
    return this.days() * 86_400 + this.hour * 3600 + this.minute * 60 + this.second;
  }
}

/** Reads one form of a DATE, DATETIME or TIMESTAMP. */
export type ReadParts = (bytes: Uint8Array, start: number, end: number, parts: TemporalParts) => void;

/** Microseconds of one unit of a fraction that is kept in 0 to 3 bytes. */
const UNIT_MICROS = [0, 10_000, 100, 1] as const;

/** The fraction of a second in `bytes[at, end)`, big-endian. */
export function readFraction(bytes: Uint8Array, at: number, end: number, typeName: string): number {
  const size = end - at;
  if (size < 0 || size > 3) throw malformed(typeName);
  let units = 0;
  for (let index = at; index < end; index++) units = units * 256 + (bytes[index] as number);
  const micros = units * (UNIT_MICROS[size] as number);
  if (micros > 999_999) throw malformed(typeName);
  return micros;
}

/** DATE: 15 bits of year, 4 of month, 5 of day, little-endian. */
export function readDate(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  if (end - start !== 3) throw malformed('DATE');
  const packed = (bytes[start] as number) | ((bytes[start + 1] as number) << 8) | ((bytes[start + 2] as number) << 16);
  parts.day = packed & 31;
  parts.month = (packed >> 5) & 15;
  parts.year = packed >> 9;
}

const DATETIME_OFFSET = 0x80_0000_0000;

/**
 * DATETIME: 5 bytes big-endian (a sign, 17 bits of year times 13 plus month, 5 of day, 5 of hour, 6 of minute, 6 of second)
 * and the fraction.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html
 */
export function readDatetime(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  if (end - start < 5) throw malformed('DATETIME');
  let packed = 0;
  for (let index = start; index < start + 5; index++) packed = packed * 256 + (bytes[index] as number);
  packed -= DATETIME_OFFSET;
  if (packed < 0) throw malformed('DATETIME');
  const time = packed % 0x2_0000;
  const date = (packed - time) / 0x2_0000;
  const yearMonth = Math.floor(date / 32);
  parts.day = date - yearMonth * 32;
  parts.year = Math.floor(yearMonth / 13);
  parts.month = yearMonth % 13;
  parts.hour = time >> 12;
  parts.minute = (time >> 6) & 63;
  parts.second = time & 63;
  parts.micros = readFraction(bytes, start + 5, end, 'DATETIME');
}

/** DATETIME as servers before 5.6.4 wrote it, and as their tables still have it: the digits as a number. */
export function readOldDatetime(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  if (end - start !== 8) throw malformed('DATETIME');
  const buffer = bytes as Buffer;
  const packed = buffer.readUInt32LE(start + 4) * 0x1_0000_0000 + buffer.readUInt32LE(start);
  const date = Math.floor(packed / 1_000_000);
  const time = packed - date * 1_000_000;
  parts.year = Math.floor(date / 10_000);
  parts.month = Math.floor(date / 100) % 100;
  parts.day = date % 100;
  parts.hour = Math.floor(time / 10_000);
  parts.minute = Math.floor(time / 100) % 100;
  parts.second = time % 100;
  parts.micros = 0;
}

/** TIMESTAMP: seconds since 1970 in UTC, big-endian, and the fraction. 0 is the zero date. */
export function readTimestamp(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  if (end - start < 4) throw malformed('TIMESTAMP');
  parts.micros = readFraction(bytes, start + 4, end, 'TIMESTAMP');
  fillFromEpoch((bytes as Buffer).readUInt32BE(start), parts);
}

/** TIMESTAMP as servers before 5.6.4 wrote it: little-endian, without fraction. */
export function readOldTimestamp(bytes: Uint8Array, start: number, end: number, parts: TemporalParts): void {
  if (end - start !== 4) throw malformed('TIMESTAMP');
  parts.micros = 0;
  fillFromEpoch((bytes as Buffer).readUInt32LE(start), parts);
}

function fillFromEpoch(seconds: number, parts: TemporalParts): void {
  if (seconds === 0 && parts.micros === 0) {
    parts.year = 0;
    parts.month = 0;
    parts.day = 0;
    return;
  }
  const days = Math.floor(seconds / 86_400);
  const ofDay = seconds - days * 86_400;
  civilFromDays(days, parts);
  parts.hour = Math.floor(ofDay / 3600);
  parts.minute = Math.floor(ofDay / 60) % 60;
  parts.second = ofDay % 60;
}

/**
 * TIME in microseconds, negative below zero: 3 bytes big-endian (a sign, a spare bit, 10 bits of hours, 6 of minutes, 6 of
 * seconds) and the fraction; a negative value is the complement of the whole.
 */
export function readTime(bytes: Uint8Array, start: number, end: number): number {
  const size = end - start;
  if (size < 3 || size > 6) throw malformed('TIME');
  let packed = 0;
  for (let index = start; index < end; index++) packed = packed * 256 + (bytes[index] as number);
  const unit = 256 ** (size - 3);
  packed -= 0x80_0000 * unit;
  const magnitude = Math.abs(packed);
  const time = Math.floor(magnitude / unit);
  const micros = (magnitude - time * unit) * (UNIT_MICROS[size - 3] as number);
  const seconds = ((time >> 12) & 0x3ff) * 3600 + ((time >> 6) & 63) * 60 + (time & 63);
  const value = seconds * 1_000_000 + micros;
  return packed < 0 ? -value : value;
}

/** TIME as servers before 5.6.4 wrote it: the digits as a signed number. */
export function readOldTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 3) throw malformed('TIME');
  const packed = (bytes as Buffer).readIntLE(start, 3);
  const magnitude = Math.abs(packed);
  const seconds = Math.floor(magnitude / 10_000) * 3600 + (Math.floor(magnitude / 100) % 100) * 60 + (magnitude % 100);
  return packed < 0 ? -seconds * 1_000_000 : seconds * 1_000_000;
}
