import { type Readable, unscaledText } from './avro-decoder.ts';

const US_PER_MS = 1000n;
const NS_PER_MS = 1_000_000n;
const MS_PER_DAY = 86_400_000n;
/** What a Date can express, milliseconds from 1970. */
const MAX_DATE_MS = 8_640_000_000_000_000n;
const MAX_SCALE = 100_000;

/**
 * Debezium's and Connect's semantic types as a person writes them, by `connect.name`. What cannot be written so (a time
 * beyond the calendar, such as infinity) stays the number that it is.
 */
export const READABLE_VALUES: Readable = new Map<string, (value: unknown) => unknown>([
  ['io.debezium.time.Date', date],
  ['org.apache.kafka.connect.data.Date', date],
  ['io.debezium.time.Timestamp', (value) => timestamp(value, 1n, 3)],
  ['org.apache.kafka.connect.data.Timestamp', (value) => timestamp(value, 1n, 3)],
  ['io.debezium.time.MicroTimestamp', (value) => timestamp(value, US_PER_MS, 6)],
  ['io.debezium.time.NanoTimestamp', (value) => timestamp(value, NS_PER_MS, 9)],
  ['io.debezium.time.Time', (value) => time(value, 1n, 3)],
  ['org.apache.kafka.connect.data.Time', (value) => time(value, 1n, 3)],
  ['io.debezium.time.MicroTime', (value) => time(value, US_PER_MS, 6)],
  ['io.debezium.time.NanoTime', (value) => time(value, NS_PER_MS, 9)],
  ['io.debezium.data.VariableScaleDecimal', variableScaleDecimal],
]);

function date(value: unknown): unknown {
  return timestamp(value, 1n, 0, MS_PER_DAY, (text) => text.slice(0, text.indexOf('T')));
}

/** `unitsPerMs` are those of the value; `digits` of its fraction of a second. */
function timestamp(
  value: unknown,
  unitsPerMs: bigint,
  digits: number,
  msPerUnit = 1n,
  cut: (text: string) => string = (text) => text,
): unknown {
  const units = wholeOf(value);
  if (units === null) return value;
  const scaled = units * msPerUnit;
  const unitsPerSecond = unitsPerMs * 1000n;
  const fraction = ((scaled % unitsPerSecond) + unitsPerSecond) % unitsPerSecond;
  const wholeMs = ((scaled - fraction) / unitsPerSecond) * 1000n;
  if (wholeMs > MAX_DATE_MS || wholeMs < -MAX_DATE_MS) return value;
  const seconds = new Date(Number(wholeMs)).toISOString().slice(0, -'.000Z'.length);
  return cut(`${seconds}${fractionText(fraction, digits)}Z`);
}

function time(value: unknown, unitsPerMs: bigint, digits: number): unknown {
  const units = wholeOf(value);
  // 24:00:00 is a time in Postgres.
  if (units === null || units < 0n || units > MS_PER_DAY * unitsPerMs) return value;
  const unitsPerSecond = unitsPerMs * 1000n;
  const seconds = Number(units / unitsPerSecond);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const clock = parts.map((part) => String(part).padStart(2, '0')).join(':');
  return `${clock}${fractionText(units % unitsPerSecond, digits)}`;
}

function variableScaleDecimal(value: unknown): unknown {
  const { scale, value: unscaled } = value as { scale?: unknown; value?: unknown };
  if (!Number.isInteger(scale) || !(unscaled instanceof Uint8Array)) return value;
  const places = scale as number;
  if (places < 0 || places > MAX_SCALE) return value;
  return unscaledText(unscaled, places);
}

/** Without zeros at its end; nothing for a whole second. */
function fractionText(fraction: bigint, digits: number): string {
  if (fraction === 0n) return '';
  return `.${fraction.toString().padStart(digits, '0').replace(/0+$/, '')}`;
}

function wholeOf(value: unknown): bigint | null {
  if (typeof value === 'bigint') return value;
  return Number.isInteger(value) ? BigInt(value as number) : null;
}
