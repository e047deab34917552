import { Scratch } from './scratch.ts';

export interface IsoDate {
  /** Year 0 is 1 BC. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export interface IsoTime {
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: number;
}

/** ISO 8601 text of dates and times as `java.time` prints them, built in `isoText`. */
export const isoText = new Scratch();

/** How many fraction digits to print: a number, or as many as the value needs. */
export type FractionDigits = number | 'needed';

export function beginIso(): void {
  isoText.begin(64);
}

/** Years beyond 9999 have a plus sign, years before 1 (year 0 is 1 BC) a minus sign; at least four digits. */
export function appendDate(parts: IsoDate): void {
  const { year } = parts;
  if (year > 9999) append(0x2b);
  else if (year < 0) append(0x2d);
  const magnitude = Math.abs(year);
  if (magnitude > 9999) appendNumber(Math.floor(magnitude / 10_000));
  appendTwo(Math.floor(magnitude / 100) % 100);
  appendTwo(magnitude % 100);
  append(0x2d);
  appendTwo(parts.month);
  append(0x2d);
  appendTwo(parts.day);
}

export function appendTime(parts: IsoTime, fraction: FractionDigits): void {
  appendTwo(parts.hour);
  append(0x3a);
  appendTwo(parts.minute);
  append(0x3a);
  appendTwo(parts.second);
  appendFraction(parts.micros, fraction);
}

/** The point and the fraction of a second, if there is one to print. */
function appendFraction(micros: number, fraction: FractionDigits): void {
  if (fraction === 'needed' ? micros === 0 : fraction === 0) return;
  append(0x2e);
  let rest = micros;
  for (let unit = 100_000, printed = 0; unit >= 1; unit /= 10, printed++) {
    if (fraction === 'needed' ? rest === 0 : printed === fraction) return;
    const digit = Math.floor(rest / unit);
    append(0x30 + digit);
    rest -= digit * unit;
  }
}

export function append(byte: number): void {
  isoText.bytes[isoText.length++] = byte;
}

function appendTwo(value: number): void {
  append(0x30 + Math.floor(value / 10));
  append(0x30 + (value % 10));
}

function appendNumber(value: number): void {
  if (value > 9) appendNumber(Math.floor(value / 10));
  append(0x30 + (value % 10));
}
