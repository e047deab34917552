import type { Emit } from '../../../src/core/codecs/codec.ts';
import type { ConnectField, ConnectScalar, ConnectStruct } from '../../../src/core/connect-schema.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import { codec, type PostgresCodec } from './codec.ts';
import { DateTimeParts, readDate, readTime, readTimestamp } from './date-time-text.ts';

const parts = new DateTimeParts();

const YEAR = optional('year', 'int32');
const MONTH = optional('month', 'int8');
const DAY = optional('day', 'int8');
const HOUR = optional('hour', 'int8');
const MINUTE = optional('minute', 'int8');
const SECOND = optional('second', 'int8');
const NANOS = optional('nanos', 'int32');
const OFFSET_SECONDS = optional('offsetSeconds', 'int32');
const ZONE_ID = optional('zoneId', 'string');
const SPECIAL_VALUE = optional('specialValue', 'string');
const PRECISION = optional('precision', 'int32');

const DATE = [YEAR, MONTH, DAY];
const CLOCK = [HOUR, MINUTE, SECOND, NANOS];

/** `year, month, day`, or only `specialValue` for an infinite date. */
export const structuredDate: PostgresCodec = codec(
  struct('StructuredDate', [...DATE, SPECIAL_VALUE]),
  (bytes, start, end, out) => {
    readDate(bytes, start, end, parts);
    writeDate(out);
    return true;
  },
  atEpoch(writeDate),
);

export function structuredTime(typmod: number): PostgresCodec {
  const precision = fractionDigits(typmod);
  const write: Emit = (out) => {
    out.beginStruct();
    writeClock(out);
    writeInt(out, 'precision', precision);
    out.endStruct();
  };
  return codec(
    struct('StructuredTime', [...CLOCK, PRECISION]),
    (bytes, start, end, out) => {
      readTime(bytes, start, end, false, parts);
      write(out);
      return true;
    },
    atEpoch(write),
  );
}

/** Keeps the clock and the offset as they were stored. */
export function structuredZonedTime(typmod: number): PostgresCodec {
  const precision = fractionDigits(typmod);
  const write: Emit = (out) => {
    out.beginStruct();
    writeClock(out);
    writeInt(out, 'offsetSeconds', parts.offsetSeconds);
    writeInt(out, 'precision', precision);
    out.endStruct();
  };
  return codec(
    struct('StructuredZonedTime', [...CLOCK, OFFSET_SECONDS, PRECISION]),
    (bytes, start, end, out) => {
      readTime(bytes, start, end, true, parts);
      write(out);
      return true;
    },
    atEpoch(write),
  );
}

export function structuredTimestamp(typmod: number): PostgresCodec {
  const precision = fractionDigits(typmod);
  const write: Emit = (out) => {
    out.beginStruct();
    writeCalendarFields(out);
    if (parts.infinity === 0) writeClock(out);
    else writeNulls(out, CLOCK);
    writeSpecialValue(out);
    writeInt(out, 'precision', precision);
    out.endStruct();
  };
  return codec(
    struct('StructuredTimestamp', [...DATE, ...CLOCK, SPECIAL_VALUE, PRECISION]),
    (bytes, start, end, out) => {
      readTimestamp(bytes, start, end, false, parts);
      write(out);
      return true;
    },
    atEpoch(write),
  );
}

/** Always in UTC, as the server stores it. */
export function structuredZonedTimestamp(typmod: number): PostgresCodec {
  const precision = fractionDigits(typmod);
  const write: Emit = (out) => {
    out.beginStruct();
    writeCalendarFields(out);
    if (parts.infinity === 0) {
      writeClock(out);
      writeInt(out, 'offsetSeconds', 0);
      writeText(out, 'zoneId', 'Z');
    } else {
      writeNulls(out, CLOCK);
      writeNulls(out, [OFFSET_SECONDS, ZONE_ID]);
    }
    writeSpecialValue(out);
    writeInt(out, 'precision', precision);
    out.endStruct();
  };
  return codec(
    struct('StructuredZonedTimestamp', [...DATE, ...CLOCK, OFFSET_SECONDS, ZONE_ID, SPECIAL_VALUE, PRECISION]),
    (bytes, start, end, out) => {
      readTimestamp(bytes, start, end, true, parts);
      parts.toUtc();
      write(out);
      return true;
    },
    atEpoch(write),
  );
}

export function optional(name: string, type: ConnectScalar['type']): ConnectField {
  return { name, schema: { type }, optional: true };
}

export function struct(name: string, fields: readonly ConnectField[]): ConnectStruct {
  return { type: 'struct', name: `io.debezium.time.${name}`, version: 1, fields };
}

export function writeInt(out: ValueWriter, field: string, value: number): void {
  out.field(field);
  out.present(0);
  out.int(value);
}

function fractionDigits(typmod: number): number {
  return typmod < 0 ? 6 : typmod;
}

function atEpoch(write: Emit): Emit {
  return (out) => {
    Object.assign(parts, new DateTimeParts());
    write(out);
  };
}

function writeDate(out: ValueWriter): void {
  out.beginStruct();
  writeCalendarFields(out);
  writeSpecialValue(out);
  out.endStruct();
}

function writeCalendarFields(out: ValueWriter): void {
  if (parts.infinity !== 0) {
    writeNulls(out, DATE);
    return;
  }
  writeInt(out, 'year', parts.year);
  writeInt(out, 'month', parts.month);
  writeInt(out, 'day', parts.day);
}

function writeClock(out: ValueWriter): void {
  writeInt(out, 'hour', parts.hour);
  writeInt(out, 'minute', parts.minute);
  writeInt(out, 'second', parts.second);
  writeInt(out, 'nanos', parts.micros * 1000);
}

function writeSpecialValue(out: ValueWriter): void {
  if (parts.infinity === 0) writeNulls(out, [SPECIAL_VALUE]);
  else writeText(out, 'specialValue', parts.infinity > 0 ? 'POSITIVE_INFINITY' : 'NEGATIVE_INFINITY');
}

function writeText(out: ValueWriter, field: string, value: string): void {
  out.field(field);
  out.present(0);
  out.text(value);
}

function writeNulls(out: ValueWriter, fields: readonly ConnectField[]): void {
  for (const { name } of fields) {
    out.field(name);
    out.absent(0);
  }
}
