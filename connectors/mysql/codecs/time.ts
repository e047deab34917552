import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { append, appendTime, beginIso, isoText } from '../../../src/core/codecs/iso-text.ts';
import { writeThousandfold } from '../../../src/core/codecs/wide-long.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { TemporalParts } from './temporal-parts.ts';

/** Microseconds, negative below zero. */
export type ReadTime = (bytes: Uint8Array, start: number, end: number) => number;

const DAY_MICROS = 86_400_000_000;
const LETTER_Z = 0x5a;
const MINUS = 0x2d;
const DIGIT_0 = 0x30;
const parts = new TemporalParts();

/**
 * TIME, which is a duration from −838:59:59 to 838:59:59. Connect's time of day has no form for what is none: it is null.
 * @param read of the form that the values have, to microseconds
 */
export function timeCodec(read: ReadTime, modes: TypeModes): ColumnCodec {
  switch (modes.time) {
    case 'connect':
      return columnCodec(
        semantic('int32', 'org.apache.kafka.connect.data.Time'),
        (bytes, start, end, out) => {
          const micros = read(bytes, start, end);
          if (!isTimeOfDay(micros)) return false;
          out.int(Math.floor(micros / 1000));
          return true;
        },
        (out) => out.int(0),
      );
    case 'isostring':
      return columnCodec(
        semantic('string', 'io.debezium.time.IsoTime'),
        (bytes, start, end, out) => {
          writeIso(read(bytes, start, end));
          out.utf8(isoText.bytes, 0, isoText.length);
          return true;
        },
        (out) => out.text('00:00:00Z'),
      );
    case 'nanoseconds':
      return columnCodec(
        semantic('int64', 'io.debezium.time.NanoTime'),
        (bytes, start, end, out) => {
          writeThousandfold(read(bytes, start, end), out);
          return true;
        },
        (out) => out.safeLong(0),
      );
    default:
      return columnCodec(
        semantic('int64', 'io.debezium.time.MicroTime'),
        (bytes, start, end, out) => {
          out.safeLong(read(bytes, start, end));
          return true;
        },
        (out) => out.safeLong(0),
      );
  }
}

function isTimeOfDay(micros: number): boolean {
  return micros >= 0 && micros <= DAY_MICROS;
}

function writeIso(micros: number): void {
  const magnitude = Math.abs(micros);
  const seconds = Math.floor(magnitude / 1_000_000);
  const hours = Math.floor(seconds / 3600);
  parts.hour = hours % 100;
  parts.minute = Math.floor(seconds / 60) % 60;
  parts.second = seconds % 60;
  parts.micros = magnitude - seconds * 1_000_000;
  beginIso();
  if (micros < 0) append(MINUS);
  if (hours > 99) append(DIGIT_0 + Math.floor(hours / 100));
  appendTime(parts, 'needed');
  append(LETTER_Z);
}
