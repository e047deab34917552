import { binaryWriter } from '../../src/core/codecs/binary.ts';
import { daysFromCivil, isCivilDate } from '../../src/core/codecs/civil-date.ts';
import { utf8Bytes } from '../../src/core/codecs/scratch.ts';
import type { SchemaDefault } from '../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import type { MySqlType, TypeModes } from './mysql-type.ts';
import { TypeCode } from './protocol/type-code.ts';

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const DECIMAL = /^-?\d+(?:\.\d+)?$/;
const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)(?:[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?$/;
const TIME = /^(-?)(\d{2,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;
const CLOCK = /^(current_timestamp|now|localtime|localtimestamp)\b/i;

type Write = SchemaDefault['write'];

/**
 * The default that Debezium writes into the schema of a column; null where it writes none: an expression, a zero date, a
 * nullable TIMESTAMP of the moment.
 * @param expression COLUMN_DEFAULT, or null
 * @param extra EXTRA, lower case
 */
export function columnDefault(
  codec: ColumnCodec,
  type: MySqlType,
  expression: string | null,
  extra: string,
  nullable: boolean,
  modes: TypeModes,
): SchemaDefault | null {
  if (expression === null) return null;
  if (CLOCK.test(expression) && isComputed(type)) return clockDefault(codec, type, nullable);
  // MySQL marks what it computes; MariaDB puts quotes around what it does not.
  if (extra.includes('default_generated')) return null;
  const text = type.dialect === 'mariadb' ? unquoted(expression) : expression;
  if (text === null) return null;
  const write = writeOf(codec, type, text, modes);
  return write === null ? null : { write };
}

/** In a text of MySQL the name of a function is a text; MariaDB puts texts in quotes. */
function isComputed({ dialect, charset }: MySqlType): boolean {
  return dialect === 'mariadb' || charset === null;
}

/** As Debezium: the beginning of time where the column cannot be null, and for DATETIME always. */
function clockDefault(codec: ColumnCodec, type: MySqlType, nullable: boolean): SchemaDefault | null {
  const isTimestamp = type.code === TypeCode.timestamp || type.code === TypeCode.timestamp2;
  if (isTimestamp && nullable) return null;
  return { write: (out) => codec.writeFallback(out) };
}

/** A literal of MariaDB without its quotes; null for NULL and for expressions. */
function unquoted(expression: string): string | null {
  const literal = /^'((?:[^'\\]|''|\\.)*)'$/s.exec(expression);
  if (literal !== null) return (literal[1] ?? '').replaceAll("''", "'").replaceAll('\\\\', '\\');
  if (NUMBER.test(expression) || /^[xb]'[0-9a-f]*'$/i.test(expression)) return expression;
  return null;
}

function writeOf(codec: ColumnCodec, type: MySqlType, text: string, modes: TypeModes): Write | null {
  const { schema } = codec;
  switch (schema.name) {
    case 'org.apache.kafka.connect.data.Decimal':
      return decimal(text, type.code === TypeCode.newDecimal ? type.scale : 0);
    case 'io.debezium.data.Bits':
      return bits(text, type.length);
    case 'io.debezium.data.geometry.Geometry':
    case 'io.debezium.data.geometry.Point':
    case 'io.debezium.data.FloatVector':
    case 'io.debezium.data.Json':
      return null;
    default:
  }
  switch (type.code) {
    case TypeCode.date:
    case TypeCode.newDate:
    case TypeCode.datetime:
    case TypeCode.datetime2:
    case TypeCode.timestamp:
    case TypeCode.timestamp2:
    case TypeCode.time:
    case TypeCode.time2:
      return temporal(schema.name ?? '', type, text);
    default:
  }
  switch (schema.type) {
    case 'boolean':
      return (out) => out.boolean(bitsOf(text) === 1n);
    case 'int16':
    case 'int32':
      return NUMBER.test(text) ? (out) => out.int(Math.trunc(Number(text))) : null;
    case 'int64':
      return NUMBER.test(text) ? long(text) : null;
    case 'float32':
      return NUMBER.test(text) ? (out) => out.float(Number(text)) : null;
    case 'float64':
      return NUMBER.test(text) ? (out) => out.double(Number(text)) : null;
    case 'bytes':
    case 'string':
      return type.charset === 'binary' ? binary(type, text, modes) : string(schema.name, text);
    default:
      return null;
  }
}

/** A quote in a text stays doubled, as in the statement that Debezium reads it from. */
function string(name: string | undefined, text: string): Write {
  const isLabel = name === 'io.debezium.data.Enum' || name === 'io.debezium.data.EnumSet';
  const written = isLabel ? text : text.replaceAll("'", "''");
  return (out) => out.text(written);
}

function decimal(text: string, scale: number): Write | null {
  if (!DECIMAL.test(text)) return null;
  const ascii = utf8Bytes(text);
  return (out) => out.decimal(ascii, 0, ascii.length, scale);
}

/** What is above 2^63 becomes the greatest, as in Debezium. */
function long(text: string): Write {
  const greatest = 0x7fff_ffff_ffff_ffffn;
  const value = /^-?\d+$/.test(text) ? BigInt(text) : BigInt(Math.trunc(Number(text)));
  const held = value > greatest ? greatest : value;
  return (out) => out.long(Number(held >> 32n), Number(held & 0xffff_ffffn));
}

/** `b'101'` and `5`. */
function bitsOf(text: string): bigint {
  const literal = /^b'([01]*)'$/i.exec(text);
  if (literal !== null) return BigInt(`0b${literal[1] === '' ? '0' : literal[1]}`);
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

function bits(text: string, length: number): Write {
  const value = bitsOf(text);
  const size = (length + 7) >> 3;
  const written = new Uint8Array(size);
  for (let index = 0; index < size; index++) written[index] = Number((value >> BigInt(index * 8)) & 0xffn);
  return (out) => out.bytes(written, 0, size);
}

/** BINARY(n) is shown padded, its zero bytes as `\\0`, which Debezium takes for two characters. */
function binary(type: MySqlType, text: string, modes: TypeModes): Write {
  const hex = /^(?:0x|x')([0-9a-f]*)'?$/i.exec(text);
  const value = hex === null ? Buffer.from(text, 'latin1') : Buffer.from(hex[1] ?? '', 'hex');
  const write = binaryWriter(modes);
  if (type.code !== TypeCode.string) return (out) => write(value, 0, value.length, out);
  const padded = Buffer.concat([value, Buffer.alloc(Math.max(0, type.length - value.length))]);
  const shown = Buffer.from(padded.toString('latin1').replaceAll('\0', '\\0'), 'latin1');
  return (out) => write(shown, 0, shown.length, out);
}

function temporal(name: string, type: MySqlType, text: string): Write | null {
  const time = TIME.exec(text);
  if (time !== null && (type.code === TypeCode.time || type.code === TypeCode.time2)) return timeOf(name, time);
  const parts = DATE_TIME.exec(text);
  if (parts === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (!isCivilDate(year, month, day)) return null;
  const days = daysFromCivil(year, month, day);
  const micros = (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000 + fractionOf(parts[7]);
  switch (name) {
    case 'io.debezium.time.Date':
    case 'org.apache.kafka.connect.data.Date':
      return (out) => out.int(days);
    case 'io.debezium.time.IsoDate':
      return (out) => out.text(`${text.slice(0, 10)}Z`);
    case 'io.debezium.time.Timestamp':
    case 'org.apache.kafka.connect.data.Timestamp':
      return (out) => out.safeLong(Math.floor(micros / 1000));
    case 'io.debezium.time.MicroTimestamp':
      return (out) => out.safeLong(micros);
    case 'io.debezium.time.NanoTimestamp':
      return long(String(BigInt(micros) * 1000n));
    case 'io.debezium.time.IsoTimestamp':
    case 'io.debezium.time.ZonedTimestamp':
      return (out) => out.text(isoOf(text, parts[7]));
    default:
      return null;
  }
}

function timeOf(name: string, parts: RegExpExecArray): Write | null {
  const [hour = 0, minute = 0, second = 0] = parts.slice(2, 5).map(Number);
  const magnitude = (hour * 3600 + minute * 60 + second) * 1_000_000 + fractionOf(parts[5]);
  const micros = parts[1] === '-' ? -magnitude : magnitude;
  switch (name) {
    case 'io.debezium.time.MicroTime':
      return (out) => out.safeLong(micros);
    case 'io.debezium.time.NanoTime':
      return (out) => out.safeLong(micros * 1000);
    case 'org.apache.kafka.connect.data.Time':
      return (out) => out.int(Math.floor(micros / 1000));
    case 'io.debezium.time.IsoTime':
      return (out) => out.text(`${parts[2]}:${parts[3]}:${parts[4]}${trimmed(parts[5])}Z`);
    default:
      return null;
  }
}

function fractionOf(digits: string | undefined): number {
  return Number((digits ?? '').padEnd(6, '0'));
}

function isoOf(text: string, fraction: string | undefined): string {
  const time = text.length > 10 ? text.slice(11, 19) : '00:00:00';
  return `${text.slice(0, 10)}T${time}${trimmed(fraction)}Z`;
}

function trimmed(fraction: string | undefined): string {
  const digits = (fraction ?? '').replace(/0+$/, '');
  return digits === '' ? '' : `.${digits}`;
}
