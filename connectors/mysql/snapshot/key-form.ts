import { FatalError } from '../../../src/core/errors.ts';
import { ADDRESS_TEXTS } from '../codecs/address.ts';
import { textDecoderOf } from '../codecs/charset.ts';
import { readDecimal } from '../codecs/decimal.ts';
import { malformed } from '../codecs/malformed.ts';
import {
  type ReadParts,
  readDate,
  readDatetime,
  readOldDatetime,
  readOldTime,
  readOldTimestamp,
  readTime,
  readTimestamp,
  TemporalParts,
} from '../codecs/temporal-parts.ts';
import type { MySqlType } from '../mysql-type.ts';
import { TypeCode } from '../protocol/type-code.ts';
import { readBinaryDatetime, readBinaryTime } from './binary-time.ts';

/** How the values of a key's column become text that can be stored, and SQL. */
export interface KeyForm {
  /** Of a value of a binary result. */
  read(bytes: Buffer, start: number, end: number): string;
  /** The same of a value of the log. */
  logged(bytes: Buffer, start: number, end: number): string;
  /** A literal that compares with the column as its index does. */
  literal(text: string): string;
}

/** Null for types that no index has as a whole. */
export function keyFormOf(type: MySqlType): KeyForm | null {
  const { code, unsigned, dialect, declared } = type;
  switch (code) {
    case TypeCode.tiny:
    case TypeCode.short:
    case TypeCode.int24:
    case TypeCode.long:
    case TypeCode.longlong: {
      const read = integer(unsigned);
      return { read, logged: read, literal: number };
    }
    case TypeCode.year:
      return {
        read: (bytes, start) => String(bytes.readUInt16LE(start)),
        logged: (bytes, start) => String(bytes[start] === 0 ? 0 : 1900 + (bytes[start] as number)),
        literal: number,
      };
    case TypeCode.newDecimal:
      return {
        // Under ZEROFILL there are zeros in front.
        read: (bytes, start, end) => bytes.toString('latin1', start, end).replace(/^0+(?=\d)/, ''),
        logged: (bytes, start, end) => {
          const digits = readDecimal(bytes, start, end, type.precision, type.scale);
          return Buffer.prototype.latin1Slice.call(digits.bytes, 0, digits.length);
        },
        literal: number,
      };
    case TypeCode.float:
      return floating((bytes, start) => bytes.readFloatLE(start));
    case TypeCode.double:
      return floating((bytes, start) => bytes.readDoubleLE(start));
    case TypeCode.bit: {
      const read = (bytes: Buffer, start: number, end: number) =>
        String(BigInt(`0x0${bytes.toString('hex', start, end)}`));
      return { read, logged: read, literal: number };
    }
    case TypeCode.enum:
    case TypeCode.set:
      return labelled(type);
    case TypeCode.date:
    case TypeCode.newDate:
      return moment(readDate, true);
    case TypeCode.datetime:
    case TypeCode.datetime2:
      return moment(code === TypeCode.datetime ? readOldDatetime : readDatetime, false);
    case TypeCode.timestamp:
    case TypeCode.timestamp2:
      return moment(code === TypeCode.timestamp ? readOldTimestamp : readTimestamp, false);
    case TypeCode.time:
    case TypeCode.time2: {
      const logged = code === TypeCode.time ? readOldTime : readTime;
      return {
        read: (bytes, start, end) => timeText(readBinaryTime(bytes, start, end)),
        logged: (bytes, start, end) => timeText(logged(bytes, start, end)),
        literal: quoted,
      };
    }
    case TypeCode.string:
      return (dialect === 'mariadb' ? addressForm(declared) : null) ?? text(type);
    case TypeCode.varchar:
      return dialect === 'mariadb' && declared?.startsWith('vector') === true ? null : text(type);
    default:
      return null;
  }
}

function number(text: string): string {
  return text;
}

function quoted(text: string): string {
  return `'${text}'`;
}

/** Little-endian, of as many bytes as there are: MEDIUMINT has three in the log and four in a result. */
function integer(unsigned: boolean): KeyForm['read'] {
  return (bytes, start, end) => {
    const size = end - start;
    if (size === 8) return String(unsigned ? bytes.readBigUInt64LE(start) : bytes.readBigInt64LE(start));
    return String(unsigned ? bytes.readUIntLE(start, size) : bytes.readIntLE(start, size));
  };
}

/** With an exponent a literal is a DOUBLE; without, it would be a DECIMAL and compare as one. */
function floating(value: (bytes: Buffer, start: number) => number): KeyForm {
  const read = (bytes: Buffer, start: number) => value(bytes, start).toExponential();
  return { read, logged: read, literal: number };
}

/** The index is ordered by the numbers of the labels, and compares with numbers. */
function labelled({ code, labels, charset }: MySqlType): KeyForm {
  const decode = textDecoderOf(charset ?? 'utf8mb4') ?? ((bytes: Uint8Array) => Buffer.from(bytes).toString('utf8'));
  const numbers = new Map((labels ?? []).map((label, index) => [label, index] as const));
  const isSet = code === TypeCode.set;
  const numberOf = (label: string): number => {
    const number = numbers.get(label);
    if (number === undefined) throw unknownLabel();
    return number;
  };
  return {
    read(bytes, start, end) {
      const label = decode(bytes.subarray(start, end));
      if (!isSet) return label === '' && !numbers.has('') ? '0' : String(numberOf(label) + 1);
      let members = 0n;
      for (const member of label === '' ? [] : label.split(',')) members |= 1n << BigInt(numberOf(member));
      return String(members);
    },
    logged: integer(true),
    literal: number,
  };
}

function unknownLabel(): FatalError {
  return new FatalError('A key has a label of an ENUM or SET that the catalog does not show.', {
    code: 'MYSQL_SNAPSHOT_LABEL',
    remedy:
      'The catalog has no characters beyond the 16-bit plane, such as emoji: rename the label, or exclude the table.',
  });
}

const parts = new TemporalParts();

function moment(readLogged: ReadParts, isDate: boolean): KeyForm {
  const textOf = (read: ReadParts) => (bytes: Buffer, start: number, end: number) => {
    parts.hour = 0;
    parts.minute = 0;
    parts.second = 0;
    parts.micros = 0;
    read(bytes, start, end, parts);
    return momentText(isDate);
  };
  return { read: textOf(readBinaryDatetime), logged: textOf(readLogged), literal: quoted };
}

function momentText(isDate: boolean): string {
  const { year, month, day, hour, minute, second, micros } = parts;
  const date = `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
  if (isDate) return date;
  return `${date} ${padded(hour, 2)}:${padded(minute, 2)}:${padded(second, 2)}.${padded(micros, 6)}`;
}

function timeText(micros: number): string {
  const magnitude = Math.abs(micros);
  const seconds = Math.floor(magnitude / 1_000_000);
  const clock = `${padded(Math.floor(seconds / 3600), 2)}:${padded(Math.floor(seconds / 60) % 60, 2)}:${padded(seconds % 60, 2)}`;
  return `${micros < 0 ? '-' : ''}${clock}.${padded(magnitude % 1_000_000, 6)}`;
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, '0');
}

/** What the server prints of it has no character that would have to be escaped. */
function addressForm(declared: string | null): KeyForm | null {
  const logged = ADDRESS_TEXTS[declared ?? ''];
  if (logged === undefined) return null;
  return { read: (bytes, start, end) => bytes.toString('latin1', start, end), logged, literal: quoted };
}

/** The bytes as they are stored, in hexadecimal; the literal says their character set, and the column its collation. */
function text({ charset, code, length }: MySqlType): KeyForm {
  const isBinary = charset === null || charset === 'binary';
  const size = isBinary && code === TypeCode.string ? length : 0;
  const read = (bytes: Buffer, start: number, end: number) => bytes.toString('hex', start, end).padEnd(size * 2, '0');
  return {
    read,
    logged: read,
    literal(hex) {
      if (!/^[0-9a-f]*$/.test(hex)) throw malformed('key');
      return isBinary ? `x'${hex}'` : `_${charset} x'${hex}'`;
    },
  };
}
