import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import {
  append,
  appendDate,
  appendTime,
  beginIso,
  type FractionDigits,
  isoText,
} from '../../../src/core/codecs/iso-text.ts';
import { writeSaturated, writeThousandfold } from '../../../src/core/codecs/wide-long.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../mysql-type.ts';
import { type ReadParts, TemporalParts } from './temporal-parts.ts';

const parts = new TemporalParts();
const LETTER_T = 0x54;
const LETTER_Z = 0x5a;

/**
 * DATETIME, read as a time in UTC. Zero dates have no representation: null, or the fallback where the column cannot be.
 * @param digits fractional digits of the column
 * @param read of the form that the values have
 */
export function datetimeCodec(digits: number, read: ReadParts, modes: TypeModes): ColumnCodec {
  const codec = (type: 'int64' | 'string', name: string, write: (out: ValueWriter) => void, fallback: string | null) =>
    columnCodec(
      semantic(type, name),
      (bytes, start, end, out) => {
        read(bytes, start, end, parts);
        if (!parts.isDate()) return false;
        write(out);
        return true;
      },
      (out) => (fallback === null ? out.safeLong(0) : out.text(fallback)),
    );
  switch (modes.time) {
    case 'connect':
      return codec('int64', 'org.apache.kafka.connect.data.Timestamp', writeMillis, null);
    case 'isostring':
      return codec('string', 'io.debezium.time.IsoTimestamp', (out) => writeIso('needed', out), '1970-01-01T00:00:00Z');
    case 'nanoseconds':
      return codec('int64', 'io.debezium.time.NanoTimestamp', writeNanos, null);
    case 'microseconds':
      return codec('int64', 'io.debezium.time.MicroTimestamp', writeMicros, null);
    default:
      return digits <= 3
        ? codec('int64', 'io.debezium.time.Timestamp', writeMillis, null)
        : codec('int64', 'io.debezium.time.MicroTimestamp', writeMicros, null);
  }
}

/** TIMESTAMP: a moment, as text in UTC with the column's digits. */
export function timestampCodec(digits: number, read: ReadParts): ColumnCodec {
  return columnCodec(
    semantic('string', 'io.debezium.time.ZonedTimestamp'),
    (bytes, start, end, out) => {
      read(bytes, start, end, parts);
      if (!parts.isDate()) return false;
      writeIso(digits, out);
      return true;
    },
    (out) => out.text('1970-01-01T00:00:00Z'),
  );
}

function writeMillis(out: ValueWriter): void {
  out.safeLong(parts.epochSeconds() * 1000 + Math.floor(parts.micros / 1000));
}

/** After the year 2255 there are more than 2^53 of them. */
function writeMicros(out: ValueWriter): void {
  const micros = parts.epochSeconds() * 1_000_000 + parts.micros;
  if (Number.isSafeInteger(micros)) out.safeLong(micros);
  else writeSaturated(BigInt(parts.epochSeconds()) * 1_000_000n + BigInt(parts.micros), out);
}

/** Nanoseconds reach from 1677 to 2262 only; what lies beyond becomes the first or the last of them. */
function writeNanos(out: ValueWriter): void {
  const micros = parts.epochSeconds() * 1_000_000 + parts.micros;
  if (Number.isSafeInteger(micros)) writeThousandfold(micros, out);
  else writeSaturated((BigInt(parts.epochSeconds()) * 1_000_000n + BigInt(parts.micros)) * 1000n, out);
}

function writeIso(fraction: FractionDigits, out: ValueWriter): void {
  beginIso();
  appendDate(parts);
  append(LETTER_T);
  appendTime(parts, fraction);
  append(LETTER_Z);
  out.utf8(isoText.bytes, 0, isoText.length);
}
