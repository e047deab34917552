import { civilFromDays, daysFromCivil, isCivilDate } from '../../../src/core/codecs/civil-date.ts';
import { malformed } from './codec.ts';

const MINUS = 0x2d;
const PLUS = 0x2b;
const COLON = 0x3a;
const POINT = 0x2e;
const SPACE = 0x20;

/**
 * What a date, a time or a timestamp says, filled by the readers below. One object per codec module is reused: a value is
 * read and written before the next one is touched.
 */
export class DateTimeParts {
  /** 1 for `infinity`, -1 for `-infinity` (the other parts then mean nothing), else 0. */
  infinity: -1 | 0 | 1 = 0;
  /** Year 0 is 1 BC. */
  year = 1970;
  month = 1;
  day = 1;
  /** 0 to 24; 24 only at 24:00:00. */
  hour = 0;
  minute = 0;
  second = 0;
  micros = 0;
  /** East of UTC. */
  offsetSeconds = 0;

  /** Seconds of the local time since midnight. */
  secondOfDay(): number {
    return this.hour * 3600 + this.minute * 60 + this.second;
  }

  days(): number {
    return daysFromCivil(this.year, this.month, this.day);
  }

  /** Whole seconds since 1970-01-01T00:00:00Z, rounded down; `micros` come on top. */
  epochSeconds(): number {
    return this.days() * 86_400 + this.secondOfDay() - this.offsetSeconds;
  }

  /** Turns the parts of a timestamp into those of the same instant in UTC. */
  toUtc(): void {
    if (this.offsetSeconds === 0) return;
    const seconds = this.epochSeconds();
    const days = Math.floor(seconds / 86_400);
    civilFromDays(days, this);
    this.setSecondOfDay(seconds - days * 86_400);
  }

  /** Sets hour, minute and second, in UTC. */
  setSecondOfDay(seconds: number): void {
    this.hour = Math.floor(seconds / 3600);
    this.minute = Math.floor(seconds / 60) % 60;
    this.second = seconds % 60;
    this.offsetSeconds = 0;
  }
}

/** `2026-11-20`, `0044-03-15 BC`, `infinity` (`DateStyle=ISO`). */
export function readDate(bytes: Uint8Array, start: number, end: number, into: DateTimeParts): void {
  if (readInfinity(bytes, start, end, into)) return;
  const beforeChrist = endsWithBc(bytes, start, end);
  const last = beforeChrist ? end - 3 : end;
  if (readCalendarDate(bytes, start, last, beforeChrist, into) !== last) throw malformed('date');
}

/** `2026-11-20 13:14:15.123456`; with `zoned` an offset such as `+00`, `-03:30`, `+00:19:32` follows. */
export function readTimestamp(
  bytes: Uint8Array,
  start: number,
  end: number,
  zoned: boolean,
  into: DateTimeParts,
): void {
  if (readInfinity(bytes, start, end, into)) return;
  const beforeChrist = endsWithBc(bytes, start, end);
  const last = beforeChrist ? end - 3 : end;
  const space = readCalendarDate(bytes, start, last, beforeChrist, into);
  if (space >= last || bytes[space] !== SPACE) throw malformed('timestamp', space - start);
  const offset = readClock(bytes, space + 1, last, into);
  if (into.hour === 24) throw malformed('timestamp');
  if (readOffset(bytes, offset, last, zoned, into) !== last) throw malformed('timestamp', offset - start);
}

/** `13:14:15.123456`, up to `24:00:00`; with `zoned` an offset follows. */
export function readTime(bytes: Uint8Array, start: number, end: number, zoned: boolean, into: DateTimeParts): void {
  const offset = readClock(bytes, start, end, into);
  if (readOffset(bytes, offset, end, zoned, into) !== end) throw malformed('time', offset - start);
}

function readInfinity(bytes: Uint8Array, start: number, end: number, into: DateTimeParts): boolean {
  into.infinity = 0;
  const first = bytes[start];
  if (first !== 0x69 && first !== MINUS) return false;
  const negative = first === MINUS;
  const at = negative ? start + 1 : start;
  const word = 'infinity';
  if (end - at !== word.length) throw malformed('date');
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) throw malformed('date');
  into.infinity = negative ? -1 : 1;
  return true;
}

function endsWithBc(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start > 3 && bytes[end - 1] === 0x43 && bytes[end - 2] === 0x42 && bytes[end - 3] === SPACE;
}

/** @returns the index after the date */
function readCalendarDate(
  bytes: Uint8Array,
  start: number,
  end: number,
  beforeChrist: boolean,
  into: DateTimeParts,
): number {
  let year = 0;
  let at = start;
  for (; at < end && bytes[at] !== MINUS; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) throw malformed('date', at - start);
    year = year * 10 + digit;
  }
  if (at - start < 4 || at - start > 7 || at + 6 > end || bytes[at + 3] !== MINUS || year === 0) {
    throw malformed('date', at - start);
  }
  into.year = beforeChrist ? 1 - year : year;
  into.month = twoDigits(bytes, at + 1, end);
  into.day = twoDigits(bytes, at + 4, end);
  if (!isCivilDate(into.year, into.month, into.day)) throw malformed('date', at - start);
  return at + 6;
}

/** @returns the index after the time */
function readClock(bytes: Uint8Array, start: number, end: number, into: DateTimeParts): number {
  if (start + 8 > end || bytes[start + 2] !== COLON || bytes[start + 5] !== COLON) throw malformed('time');
  into.hour = twoDigits(bytes, start, end);
  into.minute = twoDigits(bytes, start + 3, end);
  into.second = twoDigits(bytes, start + 6, end);
  into.micros = 0;
  let at = start + 8;
  if (at < end && bytes[at] === POINT) {
    let scale = 100_000;
    for (at++; at < end && scale >= 1; at++, scale /= 10) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) break;
      into.micros += digit * scale;
    }
    if (bytes[at - 1] === POINT) throw malformed('time', at - start);
  }
  const isMidnight = into.minute === 0 && into.second === 0 && into.micros === 0;
  if (into.hour > 24 || into.minute > 59 || into.second > 59 || (into.hour === 24 && !isMidnight)) {
    throw malformed('time');
  }
  return at;
}

/** @returns the index after the offset */
function readOffset(bytes: Uint8Array, start: number, end: number, zoned: boolean, into: DateTimeParts): number {
  into.offsetSeconds = 0;
  if (!zoned) return start;
  const sign = bytes[start];
  if (start >= end || (sign !== PLUS && sign !== MINUS)) throw malformed('offset from UTC');
  let seconds = twoDigits(bytes, start + 1, end) * 3600;
  let at = start + 3;
  for (let unit = 60; unit >= 1 && at < end && bytes[at] === COLON; unit /= 60, at += 3) {
    const value = twoDigits(bytes, at + 1, end);
    if (value > 59) throw malformed('offset from UTC');
    seconds += value * unit;
  }
  if (seconds >= 16 * 3600) throw malformed('offset from UTC');
  into.offsetSeconds = sign === MINUS ? 0 - seconds : seconds;
  return at;
}

function twoDigits(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) throw malformed('date or time');
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  if (tens < 0 || tens > 9 || ones < 0 || ones > 9) throw malformed('date or time');
  return tens * 10 + ones;
}
