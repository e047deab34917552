import { semantic } from '../../../src/core/codecs/codec.ts';
import { append, appendDate, beginIso, isoText } from '../../../src/core/codecs/iso-text.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';
import type { TypeModes } from '../pg-type.ts';
import { codec, type PostgresCodec } from './codec.ts';
import { DateTimeParts, readDate } from './date-time-text.ts';
import { structuredDate } from './structured-time.ts';

const parts = new DateTimeParts();
const LETTER_Z = 0x5a;

/** An infinite date is the least or the greatest number of days. */
const INFINITE_DAYS = { least: -2_147_483_648, greatest: 2_147_483_647 };
/** The date of the sentinels of an infinite `IsoTimestamp`. */
const INFINITE_ISO = { least: '-292275055-05-16Z', greatest: '+292278994-08-16Z' };

export function dateCodec(modes: TypeModes): PostgresCodec {
  switch (modes.time) {
    case 'structured':
      return structuredDate;
    case 'isostring':
      return isoDate;
    case 'connect':
      return epochDays('org.apache.kafka.connect.data.Date');
    default:
      return epochDays('io.debezium.time.Date');
  }
}

function epochDays(name: string): PostgresCodec {
  return codec(
    semantic('int32', name),
    (bytes, start, end, out) => {
      readDate(bytes, start, end, parts);
      if (parts.infinity === 0) out.int(parts.days());
      else out.int(parts.infinity > 0 ? INFINITE_DAYS.greatest : INFINITE_DAYS.least);
      return true;
    },
    (out) => out.int(0),
  );
}

const isoDate = codec(
  semantic('string', 'io.debezium.time.IsoDate'),
  (bytes, start, end, out) => {
    readDate(bytes, start, end, parts);
    if (parts.infinity === 0) writeIsoDate(out);
    else out.text(parts.infinity > 0 ? INFINITE_ISO.greatest : INFINITE_ISO.least);
    return true;
  },
  (out) => out.text('1970-01-01Z'),
);

function writeIsoDate(out: ValueWriter): void {
  beginIso();
  appendDate(parts);
  append(LETTER_Z);
  out.utf8(isoText.bytes, 0, isoText.length);
}
