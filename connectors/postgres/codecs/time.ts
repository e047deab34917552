import { semantic } from '../../../src/core/codecs/codec.ts';
import { append, appendTime, beginIso, isoText } from '../../../src/core/codecs/iso-text.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, type PostgresCodec } from './codec.ts';
import { DateTimeParts, readTime } from './date-time-text.ts';
import { structuredTime, structuredZonedTime } from './structured-time.ts';

const parts = new DateTimeParts();
const LETTER_Z = 0x5a;
const DAY_SECONDS = 86_400;

/** `time`. @param typmod the declared fraction digits, -1 for none (which means six) */
export function timeCodec(typmod: number, modes: TypeModes): PostgresCodec {
  switch (modes.time) {
    case 'adaptive':
      return typmod >= 0 && typmod <= 3 ? milliseconds('io.debezium.time.Time') : microseconds;
    case 'adaptive_time_microseconds':
    case 'microseconds':
      return microseconds;
    case 'nanoseconds':
      return nanoseconds;
    case 'connect':
      return milliseconds('org.apache.kafka.connect.data.Time');
    case 'isostring':
      return isoTime;
    case 'structured':
      return structuredTime(typmod);
  }
}

/** `time with time zone`: normalised to UTC as text, or with its own offset as a struct. */
export function zonedTimeCodec(typmod: number, modes: TypeModes): PostgresCodec {
  return modes.time === 'structured' ? structuredZonedTime(typmod) : zonedTime;
}

function microOfDay(bytes: Uint8Array, start: number, end: number): number {
  readTime(bytes, start, end, false, parts);
  return parts.secondOfDay() * 1_000_000 + parts.micros;
}

function milliseconds(name: string): PostgresCodec {
  return codec(
    semantic('int32', name),
    (bytes, start, end, out) => {
      out.int(Math.floor(microOfDay(bytes, start, end) / 1000));
      return true;
    },
    (out) => out.int(0),
  );
}

const microseconds = codec(
  semantic('int64', 'io.debezium.time.MicroTime'),
  (bytes, start, end, out) => {
    out.safeLong(microOfDay(bytes, start, end));
    return true;
  },
  (out) => out.safeLong(0),
);

const nanoseconds = codec(
  semantic('int64', 'io.debezium.time.NanoTime'),
  (bytes, start, end, out) => {
    out.safeLong(microOfDay(bytes, start, end) * 1000);
    return true;
  },
  (out) => out.safeLong(0),
);

const isoTime = codec(
  semantic('string', 'io.debezium.time.IsoTime'),
  (bytes, start, end, out) => {
    readTime(bytes, start, end, false, parts);
    beginIso();
    appendTime(parts, 'needed');
    append(LETTER_Z);
    out.utf8(isoText.bytes, 0, isoText.length);
    return true;
  },
  (out) => out.text('00:00:00Z'),
);

const zonedTime = codec(
  semantic('string', 'io.debezium.time.ZonedTime'),
  (bytes, start, end, out) => {
    readTime(bytes, start, end, true, parts);
    // 24:00:00+00 stays what it is; elsewhere the end of a day is a moment of the next.
    if (parts.offsetSeconds !== 0) {
      const utc = parts.secondOfDay() - parts.offsetSeconds;
      parts.setSecondOfDay(((utc % DAY_SECONDS) + DAY_SECONDS) % DAY_SECONDS);
    }
    beginIso();
    appendTime(parts, 'needed');
    append(LETTER_Z);
    out.utf8(isoText.bytes, 0, isoText.length);
    return true;
  },
  (out) => out.text('00:00:00Z'),
);
