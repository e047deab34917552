import type { ColumnCodec } from '../../../src/core/table.ts';
import { dateCodec } from '../codecs/date.ts';
import { datetimeCodec, timestampCodec } from '../codecs/datetime.ts';
import { int } from '../codecs/integer.ts';
import { expectBytes, malformed } from '../codecs/malformed.ts';
import { textCodec } from '../codecs/text.ts';
import { timeCodec } from '../codecs/time.ts';
import { characters, columnCodec } from '../column-codecs.ts';
import type { MySqlType, TypeModes } from '../mysql-type.ts';
import { TypeCode } from '../protocol/type-code.ts';
import { readBinaryDatetime, readBinaryTime } from './binary-time.ts';

/** Types of MariaDB that are bytes in the log and text everywhere else. */
const ADDRESSES: ReadonlySet<string | null> = new Set(['uuid', 'inet4', 'inet6']);
const ZERO_DIGIT = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;

/**
 * The codec of a column of a binary result: the same calls of the same schema as the codec of the log makes, from another
 * form of the value. Where the two forms are one, so are the codecs.
 */
export function readCodec(type: MySqlType, modes: TypeModes): ColumnCodec {
  const logged = columnCodec(type, modes);
  const write = writeOf(type, modes);
  if (write === null) return logged;
  return {
    schema: logged.schema,
    write,
    writeFallback: logged.writeFallback,
    writeUnavailable: logged.writeUnavailable,
  };
}

function writeOf(type: MySqlType, modes: TypeModes): ColumnCodec['write'] | null {
  switch (type.code) {
    case TypeCode.int24:
      // Comes in four bytes, with its sign.
      return int.write;
    case TypeCode.year:
      return writeYear;
    case TypeCode.newDecimal:
      return writeDecimal(type.scale, modes);
    case TypeCode.date:
    case TypeCode.newDate:
      return dateCodec(modes, readBinaryDatetime).write;
    case TypeCode.time:
    case TypeCode.time2:
      return timeCodec(readBinaryTime, modes).write;
    case TypeCode.datetime:
    case TypeCode.datetime2:
      return datetimeCodec(type.scale, readBinaryDatetime, modes).write;
    case TypeCode.timestamp:
    case TypeCode.timestamp2:
      return timestampCodec(type.scale, readBinaryDatetime).write;
    case TypeCode.enum:
    case TypeCode.set:
      return type.charset === null || type.charset === 'binary' ? writeUtf8 : textCodec(type.charset, modes).write;
    case TypeCode.json:
      return writeUtf8;
    case TypeCode.blobCompressed:
    case TypeCode.varcharCompressed:
      return characters(type, modes).write;
    case TypeCode.string:
      return type.dialect === 'mariadb' && ADDRESSES.has(type.declared) ? writeUtf8 : null;
    default:
      return null;
  }
}

const writeUtf8: ColumnCodec['write'] = (bytes, start, end, out) => {
  out.utf8(bytes, start, end);
  return true;
};

const writeYear: ColumnCodec['write'] = (bytes, start, end, out) => {
  expectBytes(start, end, 2, 'YEAR');
  out.int((bytes as Buffer).readUInt16LE(start));
  return true;
};

/** Text: `-12.30`, with zeros in front under ZEROFILL. */
function writeDecimal(scale: number, modes: TypeModes): ColumnCodec['write'] {
  return (bytes, start, end, out) => {
    const from = significantStart(bytes, start, end);
    if (modes.decimal === 'precise') out.decimal(bytes, from, end, scale);
    else if (modes.decimal === 'string') out.utf8(bytes, from, end);
    else out.double(Number(Buffer.prototype.latin1Slice.call(bytes, from, end)));
    return true;
  };
}

/** A number with a sign has no zeros in front that could be left out: only an unsigned one is filled. */
function significantStart(bytes: Uint8Array, start: number, end: number): number {
  if (start === end) throw malformed('DECIMAL');
  let at = start;
  while (bytes[at] !== MINUS && bytes[at] === ZERO_DIGIT && at + 1 < end && bytes[at + 1] !== POINT) at += 1;
  return at;
}
