import { semantic } from '../../../src/core/codecs/codec.ts';
import { writeMaximum, writeMinimum, writeSaturated } from '../../../src/core/codecs/wide-long.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, malformed, type PostgresCodec } from './codec.ts';
import { latin1 } from './float.ts';
import { optional, struct, writeInt } from './structured-time.ts';

/** `1 year 2 mons -3 days 04:05:06.789012` (`IntervalStyle=postgres`); parts that are zero may be missing. */
const INTERVAL =
  /^(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?(?:([+-]?)(\d{2,}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?)?$/;

/** A month is a twelfth of 365.25 days. */
const MONTH_SECONDS = 2_629_800;
const DAY_SECONDS = 86_400;
const INT_MAX = 2_147_483_647;

interface Interval {
  years: number;
  months: number;
  days: number;
  hours: number;
  minutes: number;
  seconds: number;
  micros: number;
}

const ZERO: Interval = { years: 0, months: 0, days: 0, hours: 0, minutes: 0, seconds: 0, micros: 0 };

/** @param typmod fraction digits in the low 16 bits, -1 for none */
export function intervalCodec(typmod: number, modes: TypeModes): PostgresCodec {
  if (modes.time === 'structured') return structuredDuration(typmod < 0 ? 6 : typmod & 0xffff);
  return modes.interval === 'string' ? isoInterval : microDuration;
}

const microDuration = codec(
  semantic('int64', 'io.debezium.time.MicroDuration'),
  (bytes, start, end, out) => {
    const infinity = readInfinity(bytes, start, end);
    if (infinity > 0) writeMaximum(out);
    else if (infinity < 0) writeMinimum(out);
    else writeMicros(readInterval(bytes, start, end), out);
    return true;
  },
  (out) => out.safeLong(0),
);

/** An infinite interval (Postgres 17) has no ISO form; it is `infinity` as in a `ZonedTimestamp`. */
const isoInterval = codec(
  semantic('string', 'io.debezium.time.Interval'),
  (bytes, start, end, out) => {
    if (readInfinity(bytes, start, end) !== 0) out.utf8(bytes, start, end);
    else out.text(isoText(readInterval(bytes, start, end)));
    return true;
  },
  (out) => out.text(isoText(ZERO)),
);

const STRUCTURED_DURATION: ConnectStruct = struct('StructuredDuration', [
  ...['years', 'months', 'days', 'hours', 'minutes'].map((name) => optional(name, 'int32')),
  optional('seconds', 'int64'),
  optional('nanos', 'int32'),
  optional('precision', 'int32'),
]);

/** An infinite interval has no representation. */
function structuredDuration(precision: number): PostgresCodec {
  return {
    schema: STRUCTURED_DURATION,
    canWrite: (bytes, start, end) => readInfinity(bytes, start, end) === 0,
    write(bytes, start, end, out) {
      if (readInfinity(bytes, start, end) !== 0) return false;
      writeStructured(readInterval(bytes, start, end), precision, out);
      return true;
    },
    writeFallback: (out) => writeStructured(ZERO, precision, out),
    writeUnavailable: (out) => writeStructured(ZERO, precision, out),
  };
}

function writeStructured(interval: Interval, precision: number, out: ValueWriter): void {
  // Hours can exceed the field by a little; seconds have room for what is too much.
  const hours = Math.max(-INT_MAX, Math.min(INT_MAX, interval.hours));
  out.beginStruct();
  writeInt(out, 'years', interval.years);
  writeInt(out, 'months', interval.months);
  writeInt(out, 'days', interval.days);
  writeInt(out, 'hours', hours);
  writeInt(out, 'minutes', interval.minutes);
  out.field('seconds');
  out.present(0);
  out.safeLong(interval.seconds + (interval.hours - hours) * 3600);
  writeInt(out, 'nanos', interval.micros * 1000);
  writeInt(out, 'precision', precision);
  out.endStruct();
}

function writeMicros(interval: Interval, out: ValueWriter): void {
  const seconds =
    (interval.years * 12 + interval.months) * MONTH_SECONDS +
    interval.days * DAY_SECONDS +
    interval.hours * 3600 +
    interval.minutes * 60 +
    interval.seconds;
  const micros = seconds * 1_000_000 + interval.micros;
  if (Number.isSafeInteger(micros)) out.safeLong(micros);
  else writeSaturated(BigInt(seconds) * 1_000_000n + BigInt(interval.micros), out);
}

/** Every part is printed, with its own sign. */
function isoText(interval: Interval): string {
  const { years, months, days, hours, minutes } = interval;
  return `P${years}Y${months}M${days}DT${hours}H${minutes}M${secondsText(interval)}S`;
}

function secondsText({ seconds, micros }: Interval): string {
  const sign = seconds < 0 || micros < 0 ? '-' : '';
  const fraction = String(Math.abs(micros)).padStart(6, '0').replace(/0+$/, '');
  return `${sign}${Math.abs(seconds)}${fraction === '' ? '' : `.${fraction}`}`;
}

function readInfinity(bytes: Uint8Array, start: number, end: number): -1 | 0 | 1 {
  const last = bytes[end - 1];
  if (last !== 0x79) return 0;
  const text = latin1(bytes, start, end);
  return text === 'infinity' ? 1 : text === '-infinity' ? -1 : 0;
}

function readInterval(bytes: Uint8Array, start: number, end: number): Interval {
  const match = end > start && end - start < 100 ? INTERVAL.exec(latin1(bytes, start, end)) : null;
  if (match === null) throw malformed('interval');
  const [, years, months, days, sign, hours, minutes, seconds, fraction] = match;
  const direction = sign === '-' ? -1 : 1;
  const interval = {
    years: integer(years),
    months: integer(months),
    days: integer(days),
    hours: integer(hours) * direction || 0,
    minutes: integer(minutes) * direction || 0,
    seconds: integer(seconds) * direction || 0,
    micros: integer(fraction?.padEnd(6, '0')) * direction || 0,
  };
  const { years: y, months: m, days: d, hours: h } = interval;
  const inRange = Math.max(Math.abs(y), Math.abs(m), Math.abs(d)) <= 2_147_483_648 && Math.abs(h) <= 2_562_047_788;
  if (!inRange || Math.abs(interval.minutes) > 59 || Math.abs(interval.seconds) > 59) throw malformed('interval');
  return interval;
}

function integer(text: string | undefined): number {
  return text === undefined ? 0 : Number(text);
}
