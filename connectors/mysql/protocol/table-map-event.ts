import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { parseOptionalMetadata } from './optional-metadata.ts';
import { ProtocolError } from './protocol-error.ts';
import type { TableMap } from './table-map.ts';
import { TypeCode } from './type-code.ts';

/** Columns of a table, at most: the server's MAX_FIELDS. */
const MOST_COLUMNS = 4096;

/**
 * TABLE_MAP_EVENT. The dialects count other types as numbers and as text in the optional metadata, so it must be said
 * which of them wrote the event.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Table__map__event.html
 */
export function parseTableMap(bytes: Buffer, start: number, end: number, dialect: 'mysql' | 'mariadb'): TableMap {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const tableId = reader.uint48();
  reader.uint16();
  const database = readName(reader);
  const table = readName(reader);
  const columnCount = reader.lengthEncoded();
  if (columnCount > MOST_COLUMNS) throw new ProtocolError(`a table map has ${columnCount} columns`);
  const types = new Uint8Array(columnCount);
  for (let column = 0; column < columnCount; column++) types[column] = reader.uint8();
  const metadata = readMetadata(reader.part(reader.lengthEncoded()), types);
  const nullable = readNullable(reader, columnCount);
  return {
    tableId,
    database,
    table,
    types,
    metadata,
    nullable,
    optional: parseOptionalMetadata(reader, types, dialect),
  };
}

function readName(reader: ByteReader): string {
  // Names are 64 characters, so the length, a packed integer by the format, is one byte.
  const name = reader.utf8(reader.lengthEncoded());
  if (reader.uint8() !== 0) throw new ProtocolError('a name in a table map has no end');
  return name;
}

/** One number for each column; what travels as CHAR and is an ENUM or SET gets its own code in `types`. */
function readMetadata(reader: ByteReader, types: Uint8Array): Uint16Array {
  const metadata = new Uint16Array(types.length);
  for (let column = 0; column < types.length; column++) {
    const type = types[column] as number;
    switch (type) {
      case TypeCode.float:
      case TypeCode.double:
      case TypeCode.tinyBlob:
      case TypeCode.mediumBlob:
      case TypeCode.longBlob:
      case TypeCode.blob:
      case TypeCode.blobCompressed:
      case TypeCode.json:
      case TypeCode.geometry:
      case TypeCode.vector:
      case TypeCode.time2:
      case TypeCode.datetime2:
      case TypeCode.timestamp2:
        metadata[column] = reader.uint8();
        break;
      case TypeCode.varchar:
      case TypeCode.varString:
      case TypeCode.varcharCompressed:
        metadata[column] = reader.uint16();
        break;
      case TypeCode.newDecimal:
        metadata[column] = (reader.uint8() << 8) | reader.uint8();
        break;
      case TypeCode.bit: {
        const restBits = reader.uint8();
        metadata[column] = reader.uint8() * 8 + restBits;
        break;
      }
      case TypeCode.string:
      case TypeCode.enum:
      case TypeCode.set:
        readStringMetadata(reader, types, metadata, column);
        break;
      default:
        // Whether another type has metadata is known where its width is: rowLayoutOf refuses what it does not know.
        break;
    }
  }
  if (reader.remaining > 0) throw new ProtocolError('the metadata of a table map do not fit its columns');
  return metadata;
}

/**
 * The first byte is the real type, the second the length. Lengths above 255 have their two highest bits in bits 4 and 5
 * of the type, inverted: there every type that travels as CHAR has ones.
 */
function readStringMetadata(reader: ByteReader, types: Uint8Array, metadata: Uint16Array, column: number): void {
  const first = reader.uint8();
  const second = reader.uint8();
  const highBits = (first & 0x30) ^ 0x30;
  const type = first | 0x30;
  if (type !== TypeCode.string && type !== TypeCode.enum && type !== TypeCode.set) {
    throw new ProtocolError(`a column that travels as CHAR has the type ${type}`);
  }
  types[column] = type;
  metadata[column] = (highBits << 4) | second;
}

function readNullable(reader: ByteReader, columnCount: number): Uint8Array {
  const nullable = new Uint8Array(columnCount);
  let bits = 0;
  for (let column = 0; column < columnCount; column++) {
    if ((column & 7) === 0) bits = reader.uint8();
    nullable[column] = (bits >> (column & 7)) & 1;
  }
  return nullable;
}
