/**
 * A position in the write-ahead log: the unsigned 64-bit number as two unsigned 32-bit halves, so that it stays exact
 * without BigInt. Text form `16/3002D50` as https://www.postgresql.org/docs/current/datatype-pg-lsn.html has it.
 */
export interface Lsn {
  readonly high: number;
  readonly low: number;
}

export const LSN_ZERO: Lsn = { high: 0, low: 0 };

const LSN_TEXT = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;
const BILLION = 1_000_000_000;

/** Null for text that is not an LSN. */
export function parseLsn(text: string): Lsn | null {
  const match = LSN_TEXT.exec(text);
  if (match === null) return null;
  return { high: Number.parseInt(match[1] as string, 16), low: Number.parseInt(match[2] as string, 16) };
}

export function formatLsn(lsn: Lsn): string {
  return `${lsn.high.toString(16).toUpperCase()}/${lsn.low.toString(16).toUpperCase()}`;
}

/** Negative, zero or positive as `a` is before, at or after `b`. */
export function compareLsn(a: Lsn, b: Lsn): number {
  return a.high === b.high ? a.low - b.low : a.high - b.high;
}

/** Bytes of log from `from` to `to`; exact up to 2^53. */
export function lsnDistance(from: Lsn, to: Lsn): number {
  return (to.high - from.high) * 0x1_0000_0000 + (to.low - from.low);
}

/** Of the usual build; on another one, a head behind a page's header is reached with the next record, such as a heartbeat. */
const PAGE_BYTES = 8192;
/** XLogPageHeaderData is 24 bytes, XLogLongPageHeaderData 40: src/include/access/xlog_internal.h. */
const LONG_PAGE_HEADER_BYTES = 40;

/**
 * The end of the log as a reader of records comes to it: where the last record filled its page, the server tells a place
 * behind the header of the next one, where no reader stands before there is a record. Leaves no commit out: its record is
 * longer than a header, and a reader is never at the start of a page on which a record continues.
 */
export function withoutPageHeader(lsn: Lsn): Lsn {
  const intoPage = lsn.low % PAGE_BYTES;
  return intoPage > LONG_PAGE_HEADER_BYTES ? lsn : { high: lsn.high, low: lsn.low - intoPage };
}

/** 16 hexadecimal digits: sorts as text as the log does. */
export function lsnSortKey(high: number, low: number): string {
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** The number in decimal, as Debezium writes LSNs into `source.sequence`. */
export function lsnDecimal(high: number, low: number): string {
  if (high < 0x20_0000) return String(high * 0x1_0000_0000 + low);
  const split = divideByBillion(high, low);
  return `${split.quotient}${String(split.remainder).padStart(9, '0')}`;
}

const ZERO = 0x30;

/**
 * Writes the decimal digits into `out` from `at` on (at most 20 bytes) without allocating.
 * @returns the end of what was written.
 */
export function writeLsnDecimal(high: number, low: number, out: Uint8Array, at: number): number {
  if (high < 0x20_0000) return writeDecimal(high * 0x1_0000_0000 + low, out, at);
  const split = divideByBillion(high, low);
  let position = writeDecimal(split.quotient, out, at) + 9;
  const end = position;
  let rest = split.remainder;
  for (let digit = 0; digit < 9; digit++) {
    out[--position] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

function writeDecimal(value: number, out: Uint8Array, at: number): number {
  let digits = 1;
  for (let bound = 10; bound <= value; bound *= 10) digits += 1;
  let rest = value;
  for (let position = at + digits - 1; position >= at; position--) {
    const shorter = Math.floor(rest / 10);
    out[position] = ZERO + (rest - shorter * 10);
    rest = shorter;
  }
  return at + digits;
}

/** Long division with 16-bit digits, so that no intermediate value leaves the safe integers. */
function divideByBillion(high: number, low: number): { quotient: number; remainder: number } {
  const middle = (high % BILLION) * 0x1_0000 + (low >>> 16);
  const last = (middle % BILLION) * 0x1_0000 + (low & 0xffff);
  const quotient =
    Math.floor(high / BILLION) * 0x1_0000_0000 + Math.floor(middle / BILLION) * 0x1_0000 + Math.floor(last / BILLION);
  return { quotient, remainder: last % BILLION };
}
