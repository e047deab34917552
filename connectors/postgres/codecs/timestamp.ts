import { semantic } from '../../../src/core/codecs/codec.ts';
import {
  append,
  appendDate,
  appendTime,
  beginIso,
  type FractionDigits,
  isoText,
} from '../../../src/core/codecs/iso-text.ts';
import { writeMaximum, writeMinimum, writeSaturated, writeThousandfold } from '../../../src/core/codecs/wide-long.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, type PostgresCodec } from './codec.ts';
import { DateTimeParts, readTimestamp } from './date-time-text.ts';
import { structuredTimestamp, structuredZonedTimestamp } from './structured-time.ts';

const parts = new DateTimeParts();
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;
const SPACE = 0x20;
const PLUS = 0x2b;
const POINT = 0x2e;
const DIGIT_0 = 0x30;
/** `2026-11-20`. */
const DATE_BYTES = 10;
/** ` 13:14:15`. */
const CLOCK_BYTES = 9;
/** `+00`. */
const UTC_OFFSET_BYTES = 3;

/** Debezium's milliseconds of `infinity` and `-infinity`: the driver's, not the ends of the range. */
const INFINITE_MILLIS = { least: -9_223_372_036_832_400_000n, greatest: 9_223_372_036_825_200_000n };
const INFINITE_ISO = { least: '-292275055-05-16T23:00:00Z', greatest: '+292278994-08-16T23:00:00Z' };

/** `timestamp`. @param typmod the declared fraction digits, -1 for none (which means six) */
export function timestampCodec(typmod: number, modes: TypeModes): PostgresCodec {
  switch (modes.time) {
    case 'adaptive':
    case 'adaptive_time_microseconds':
      return typmod >= 0 && typmod <= 3 ? milliseconds('io.debezium.time.Timestamp') : microseconds;
    case 'microseconds':
      return microseconds;
    case 'nanoseconds':
      return nanoseconds;
    case 'connect':
      return milliseconds('org.apache.kafka.connect.data.Timestamp');
    case 'isostring':
      return isoTimestamp;
    case 'structured':
      return structuredTimestamp(typmod);
  }
}

/** `timestamp with time zone`: text in UTC with as many fraction digits as the column declares. */
export function zonedTimestampCodec(typmod: number, modes: TypeModes): PostgresCodec {
  if (modes.time === 'structured') return structuredZonedTimestamp(typmod);
  const digits = typmod < 0 ? 6 : typmod;
  return codec(
    semantic('string', 'io.debezium.time.ZonedTimestamp'),
    (bytes, start, end, out) => {
      readTimestamp(bytes, start, end, true, parts);
      if (parts.infinity !== 0) {
        out.utf8(bytes, start, end);
      } else if (!writeUtcText(bytes, start, end, digits, out)) {
        parts.toUtc();
        writeIso(digits, out);
      }
      return true;
    },
    (out) => out.text('1970-01-01T00:00:00Z'),
  );
}

function milliseconds(name: string): PostgresCodec {
  return codec(
    semantic('int64', name),
    (bytes, start, end, out) => {
      readTimestamp(bytes, start, end, false, parts);
      if (parts.infinity === 0) writeParts(parts.epochSeconds(), 1000, Math.floor(parts.micros / 1000), out);
      else writeSaturated(parts.infinity > 0 ? INFINITE_MILLIS.greatest : INFINITE_MILLIS.least, out);
      return true;
    },
    (out) => out.safeLong(0),
  );
}

const microseconds = codec(
  semantic('int64', 'io.debezium.time.MicroTimestamp'),
  (bytes, start, end, out) => {
    readTimestamp(bytes, start, end, false, parts);
    if (!wroteInfinity(out)) {
      writeParts(parts.epochSeconds(), 1_000_000, parts.micros, out);
    }
    return true;
  },
  (out) => out.safeLong(0),
);

/** Nanoseconds reach from 1677 to 2262 only; what lies beyond becomes the first or the last of them. */
const nanoseconds = codec(
  semantic('int64', 'io.debezium.time.NanoTimestamp'),
  (bytes, start, end, out) => {
    readTimestamp(bytes, start, end, false, parts);
    if (!wroteInfinity(out)) {
      const seconds = parts.epochSeconds();
      const micros = seconds * 1_000_000 + parts.micros;
      if (Number.isSafeInteger(micros)) writeThousandfold(micros, out);
      else writeSaturated((BigInt(seconds) * 1_000_000n + BigInt(parts.micros)) * 1000n, out);
    }
    return true;
  },
  (out) => out.safeLong(0),
);

const isoTimestamp = codec(
  semantic('string', 'io.debezium.time.IsoTimestamp'),
  (bytes, start, end, out) => {
    readTimestamp(bytes, start, end, false, parts);
    if (parts.infinity === 0) writeIso('needed', out);
    else out.text(parts.infinity > 0 ? INFINITE_ISO.greatest : INFINITE_ISO.least);
    return true;
  },
  (out) => out.text('1970-01-01T00:00:00Z'),
);

/** Writes `seconds * unitsPerSecond + units`, the nearest 64-bit integer to it where it has none. */
function writeParts(seconds: number, unitsPerSecond: number, units: number, out: ValueWriter): void {
  const whole = seconds * unitsPerSecond + units;
  if (Number.isSafeInteger(whole)) out.safeLong(whole);
  else writeSaturated(BigInt(seconds) * BigInt(unitsPerSecond) + BigInt(units), out);
}

function wroteInfinity(out: ValueWriter): boolean {
  if (parts.infinity > 0) writeMaximum(out);
  else if (parts.infinity < 0) writeMinimum(out);
  return parts.infinity !== 0;
}

/**
 * What the server wrote in UTC with a year of four digits is all but the text that is wanted: it is copied, where taking it
 * apart and putting it together again is a tenth of all encoding. To be called once the text was read.
 * @returns false where it is another text.
 */
function writeUtcText(bytes: Uint8Array, start: number, end: number, digits: number, out: ValueWriter): boolean {
  const clock = start + DATE_BYTES;
  const fraction = clock + CLOCK_BYTES;
  const offset = end - UTC_OFFSET_BYTES;
  if (parts.offsetSeconds !== 0 || bytes[clock] !== SPACE || bytes[offset] !== PLUS) return false;
  if (offset > fraction + (digits === 0 ? 0 : 1 + digits)) return false;
  const text = isoText.begin(64);
  let length = 0;
  for (let at = start; at < offset; at++) text[length++] = bytes[at]!;
  text[DATE_BYTES] = LETTER_T;
  if (digits > 0) {
    text[DATE_BYTES + CLOCK_BYTES] = POINT;
    length = Math.max(length, DATE_BYTES + CLOCK_BYTES + 1);
    while (length < DATE_BYTES + CLOCK_BYTES + 1 + digits) text[length++] = DIGIT_0;
  }
  text[length++] = LETTER_Z;
  out.utf8(text, 0, length);
  return true;
}

function writeIso(fraction: FractionDigits, out: ValueWriter): void {
  beginIso();
  appendDate(parts);
  append(LETTER_T);
  appendTime(parts, fraction);
  append(LETTER_Z);
  out.utf8(isoText.bytes, 0, isoText.length);
}
