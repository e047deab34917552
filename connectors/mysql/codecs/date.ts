import { columnCodec, semantic } from '../../../src/core/codecs/codec.ts';
import { append, appendDate, beginIso, isoText } from '../../../src/core/codecs/iso-text.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { TypeModes } from '../mysql-type.ts';
import { expectBytes } from './malformed.ts';
import { type ReadParts, readDate, TemporalParts } from './temporal-parts.ts';

const parts = new TemporalParts();
const LETTER_Z = 0x5a;
const FIRST_YEAR = 1900;

/** DATE. Zero dates have no representation: they are null, or the fallback where the column cannot be. */
export function dateCodec(modes: TypeModes, read: ReadParts = readDate): ColumnCodec {
  if (modes.time === 'isostring') return isoDate(read);
  return epochDays(modes.time === 'connect' ? 'org.apache.kafka.connect.data.Date' : 'io.debezium.time.Date', read);
}

function epochDays(name: string, read: ReadParts): ColumnCodec {
  return columnCodec(
    semantic('int32', name),
    (bytes, start, end, out) => {
      read(bytes, start, end, parts);
      if (!parts.isDate()) return false;
      out.int(parts.days());
      return true;
    },
    (out) => out.int(0),
  );
}

function isoDate(read: ReadParts): ColumnCodec {
  return columnCodec(
    semantic('string', 'io.debezium.time.IsoDate'),
    (bytes, start, end, out) => {
      read(bytes, start, end, parts);
      if (!parts.isDate()) return false;
      beginIso();
      appendDate(parts);
      append(LETTER_Z);
      out.utf8(isoText.bytes, 0, isoText.length);
      return true;
    },
    (out) => out.text('1970-01-01Z'),
  );
}

/** YEAR: years since 1900; 0 is the year 0000, which is no year between 1901 and 2155. */
export const yearCodec: ColumnCodec = columnCodec(
  semantic('int32', 'io.debezium.time.Year'),
  (bytes, start, end, out) => {
    expectBytes(start, end, 1, 'YEAR');
    const year = bytes[start] as number;
    out.int(year === 0 ? 0 : FIRST_YEAR + year);
    return true;
  },
  (out) => out.int(0),
);
