import type { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';
import { NO_OPTIONAL_METADATA, type OptionalMetadata } from './table-map.ts';
import { TypeCode } from './type-code.ts';

/** Optional_metadata_field_type of rows_event.h. */
const Field = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  columnName: 4,
  setLabels: 5,
  enumLabels: 6,
  geometryType: 7,
  primaryKey: 8,
  primaryKeyWithPrefix: 9,
  labelDefaultCharset: 10,
  labelColumnCharset: 11,
  visibility: 12,
  vectorDimensions: 13,
} as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The fields behind the columns of a table map, each a type, a length and its content. Most hold one item for each column
 * of some types only, in order, so a column that is counted wrongly shifts all after it: counts are checked.
 */
export function parseOptionalMetadata(
  reader: ByteReader,
  types: Uint8Array,
  dialect: 'mysql' | 'mariadb',
): OptionalMetadata {
  if (reader.remaining === 0) return NO_OPTIONAL_METADATA;
  const optional: Mutable<OptionalMetadata> = { ...NO_OPTIONAL_METADATA };
  const isText = dialect === 'mysql' ? isMySqlText : isMariadbText;
  while (reader.remaining > 0) {
    const field = reader.uint8();
    const content = reader.part(reader.lengthEncoded());
    switch (field) {
      case Field.signedness:
        optional.unsigned = readSigns(content, types);
        break;
      case Field.defaultCharset:
        optional.collations = ofText(readDefaultCharset(content, columnsOf(types, isText), types.length), types);
        break;
      case Field.columnCharset:
        optional.collations = ofText(readNumbers(content, columnsOf(types, isText), types.length), types);
        break;
      case Field.columnName:
        optional.names = readNames(content, types.length);
        break;
      case Field.setLabels:
        optional.labels = readLabels(content, columnsOf(types, isSet), optional.labels, types.length);
        break;
      case Field.enumLabels:
        optional.labels = readLabels(content, columnsOf(types, isEnum), optional.labels, types.length);
        break;
      case Field.geometryType:
        optional.geometryTypes = readNumbers(content, columnsOf(types, isGeometry), types.length);
        break;
      case Field.primaryKey:
        optional.primaryKey = readPrimaryKey(content, types.length, false);
        break;
      case Field.primaryKeyWithPrefix:
        optional.primaryKey = readPrimaryKey(content, types.length, true);
        break;
      case Field.labelDefaultCharset:
        optional.labelCollations = readDefaultCharset(content, columnsOf(types, isLabelled), types.length);
        break;
      case Field.labelColumnCharset:
        optional.labelCollations = readNumbers(content, columnsOf(types, isLabelled), types.length);
        break;
      case Field.visibility:
        optional.visible = readBits(content, columnsOf(types, isAny), types.length);
        break;
      case Field.vectorDimensions:
        optional.vectorDimensions = readNumbers(content, columnsOf(types, isVector), types.length);
        break;
      default:
        // Of a newer server: its length was stepped over.
        break;
    }
  }
  return optional;
}

function columnsOf(types: Uint8Array, is: (type: number) => boolean): number[] {
  const columns: number[] = [];
  for (let column = 0; column < types.length; column++) if (is(types[column] as number)) columns.push(column);
  return columns;
}

/** What is a Field_num in the servers, YEAR too. */
function isNumeric(type: number): boolean {
  switch (type) {
    case TypeCode.tiny:
    case TypeCode.short:
    case TypeCode.int24:
    case TypeCode.long:
    case TypeCode.longlong:
    case TypeCode.float:
    case TypeCode.double:
    case TypeCode.decimal:
    case TypeCode.newDecimal:
    case TypeCode.year:
      return true;
    default:
      return false;
  }
}

function isMySqlText(type: number): boolean {
  switch (type) {
    case TypeCode.string:
    case TypeCode.varString:
    case TypeCode.varchar:
    case TypeCode.blob:
    case TypeCode.vector:
      return true;
    default:
      return false;
  }
}

/** MariaDB counts everything that has a charset but ENUM and SET, GEOMETRY too because it is a BLOB there. */
function isMariadbText(type: number): boolean {
  switch (type) {
    case TypeCode.geometry:
    case TypeCode.blobCompressed:
    case TypeCode.varcharCompressed:
      return true;
    default:
      return isMySqlText(type);
  }
}

function isSet(type: number): boolean {
  return type === TypeCode.set;
}

function isEnum(type: number): boolean {
  return type === TypeCode.enum;
}

function isLabelled(type: number): boolean {
  return type === TypeCode.enum || type === TypeCode.set;
}

function isGeometry(type: number): boolean {
  return type === TypeCode.geometry;
}

function isVector(type: number): boolean {
  return type === TypeCode.vector;
}

function isAny(): boolean {
  return true;
}

/** One bit for each of `columns`, the highest of a byte first. */
function readBits(reader: ByteReader, columns: readonly number[], columnCount: number): Uint8Array {
  if (reader.remaining !== (columns.length + 7) >> 3) {
    throw new ProtocolError(`${reader.remaining} bytes of flags for ${columns.length} columns of a table map`);
  }
  const flags = new Uint8Array(columnCount);
  let bits = 0;
  for (const [index, column] of columns.entries()) {
    if ((index & 7) === 0) bits = reader.uint8();
    flags[column] = (bits >> (7 - (index & 7))) & 1;
  }
  return flags;
}

/** A YEAR is always unsigned, which shows a server that counts other columns than we do. */
function readSigns(reader: ByteReader, types: Uint8Array): Uint8Array {
  const unsigned = readBits(reader, columnsOf(types, isNumeric), types.length);
  for (let column = 0; column < types.length; column++) {
    if (types[column] === TypeCode.year && unsigned[column] === 0) {
      throw new ProtocolError('a table map says of other columns than its numeric ones whether they are unsigned');
    }
  }
  return unsigned;
}

function readNumbers(reader: ByteReader, columns: readonly number[], columnCount: number): (number | null)[] {
  const numbers = new Array<number | null>(columnCount).fill(null);
  for (const column of columns) numbers[column] = reader.lengthEncoded();
  expectEnd(reader);
  return numbers;
}

/** The collation of most columns, then pairs of a place among `columns` and its other collation. */
function readDefaultCharset(reader: ByteReader, columns: readonly number[], columnCount: number): (number | null)[] {
  const collations = new Array<number | null>(columnCount).fill(null);
  const most = reader.lengthEncoded();
  for (const column of columns) collations[column] = most;
  while (reader.remaining > 0) {
    const column = columns[reader.lengthEncoded()];
    if (column === undefined) throw new ProtocolError('a table map has a charset for a column that has none');
    collations[column] = reader.lengthEncoded();
  }
  return collations;
}

/** What is counted as text and is none has no collation. */
function ofText(collations: (number | null)[], types: Uint8Array): (number | null)[] {
  for (let column = 0; column < types.length; column++) {
    if (types[column] === TypeCode.geometry || types[column] === TypeCode.vector) collations[column] = null;
  }
  return collations;
}

function readNames(reader: ByteReader, columnCount: number): string[] {
  const names: string[] = [];
  for (let column = 0; column < columnCount; column++) names.push(reader.utf8(reader.lengthEncoded()));
  expectEnd(reader);
  return names;
}

function readLabels(
  reader: ByteReader,
  columns: readonly number[],
  soFar: OptionalMetadata['labels'],
  columnCount: number,
): (readonly Uint8Array[] | null)[] {
  const labels = soFar === null ? new Array<readonly Uint8Array[] | null>(columnCount).fill(null) : [...soFar];
  for (const column of columns) {
    const count = reader.lengthEncoded();
    // A label takes a byte at least, so a damaged count cannot make this long.
    if (count > reader.remaining) throw new ProtocolError(`a column of a table map has ${count} labels`);
    const ofColumn: Uint8Array[] = [];
    for (let index = 0; index < count; index++) ofColumn.push(reader.copy(reader.lengthEncoded()));
    labels[column] = ofColumn;
  }
  expectEnd(reader);
  return labels;
}

function readPrimaryKey(reader: ByteReader, columnCount: number, withPrefixes: boolean): number[] {
  const columns: number[] = [];
  while (reader.remaining > 0) {
    const column = reader.lengthEncoded();
    if (column >= columnCount) throw new ProtocolError('the primary key of a table map has a column that is not there');
    columns.push(column);
    // How much of the column is in the index does not matter: its whole value is the key.
    if (withPrefixes) reader.lengthEncoded();
  }
  return columns;
}

function expectEnd(reader: ByteReader): void {
  if (reader.remaining > 0) throw new ProtocolError('a field of a table map has more items than it has columns');
}
