import type { CatalogColumn } from '../catalog-column.ts';
import { declaredLabels, GEOMETRY_TYPES } from '../column-type.ts';
import type { Dialect, MySqlType } from '../mysql-type.ts';
import { TypeCode } from '../protocol/type-code.ts';

/** What the log would say of a column, and the catalog has in other words. */
export interface ColumnStorage {
  /** CHARACTER_OCTET_LENGTH; null of types that have none. */
  readonly bytes: number | null;
  /** COMPRESSED of MariaDB. */
  readonly isCompressed: boolean;
  /** A time in the form of servers before 5.6.4. */
  readonly isOldTime: boolean;
}

export interface CatalogTypeContext {
  readonly dialect: Dialect;
  /** Whether table maps have the signs of numbers: binlog_row_metadata is there and not NO_LOG. */
  readonly logsSigns: boolean;
}

/** The type of a column as the stream resolves it from a table map, of the catalog alone. */
export function catalogType(
  { dialect, logsSigns }: CatalogTypeContext,
  column: CatalogColumn,
  storage: ColumnStorage,
): MySqlType {
  const { columnType } = column;
  const [name = ''] = /^[a-z]+[0-9]?/.exec(columnType) ?? [];
  const [, first = '0', second = '0'] = /^[a-z]+\((\d+)(?:,(\d+))?\)/.exec(columnType) ?? [];
  const code = codeOf(name, dialect, storage);
  const isDecimal = code === TypeCode.newDecimal;
  const isLabelled = code === TypeCode.enum || code === TypeCode.set;
  return {
    dialect,
    code,
    length: lengthOf(name, code, columnType, storage, Number(first)),
    precision: isDecimal ? Number(first) : 0,
    scale: isDecimal ? Number(second) : FRACTIONS.has(code) ? Number(first) : 0,
    unsigned: (code === TypeCode.year && logsSigns) || (!isLabelled && /\b(unsigned|zerofill)\b/.test(columnType)),
    charset: isLabelled ? (column.charset ?? 'utf8mb4') : CHARACTERS.has(code) ? (column.charset ?? 'binary') : null,
    labels: isLabelled ? declaredLabels(columnType) : null,
    geometryType: code === TypeCode.geometry ? Math.max(0, GEOMETRY_TYPES.indexOf(geometryName(name))) : null,
    declared: columnType,
  };
}

const FRACTIONS: ReadonlySet<number> = new Set([TypeCode.time2, TypeCode.datetime2, TypeCode.timestamp2]);
const CHARACTERS: ReadonlySet<number> = new Set([
  TypeCode.string,
  TypeCode.varchar,
  TypeCode.blob,
  TypeCode.blobCompressed,
  TypeCode.varcharCompressed,
]);

const CODES: Readonly<Record<string, number>> = {
  tinyint: TypeCode.tiny,
  smallint: TypeCode.short,
  mediumint: TypeCode.int24,
  int: TypeCode.long,
  bigint: TypeCode.longlong,
  float: TypeCode.float,
  double: TypeCode.double,
  decimal: TypeCode.newDecimal,
  bit: TypeCode.bit,
  year: TypeCode.year,
  date: TypeCode.date,
  char: TypeCode.string,
  binary: TypeCode.string,
  uuid: TypeCode.string,
  inet4: TypeCode.string,
  inet6: TypeCode.string,
  json: TypeCode.json,
  enum: TypeCode.enum,
  set: TypeCode.set,
};

/** A type that is none of the catalog's becomes 0, which no codec knows: reading says so. */
function codeOf(name: string, dialect: Dialect, { isCompressed, isOldTime }: ColumnStorage): number {
  const known = CODES[name];
  if (known !== undefined) return known;
  switch (name) {
    case 'time':
      return isOldTime ? TypeCode.time : TypeCode.time2;
    case 'datetime':
      return isOldTime ? TypeCode.datetime : TypeCode.datetime2;
    case 'timestamp':
      return isOldTime ? TypeCode.timestamp : TypeCode.timestamp2;
    case 'varchar':
    case 'varbinary':
      return isCompressed ? TypeCode.varcharCompressed : TypeCode.varchar;
    case 'vector':
      return dialect === 'mysql' ? TypeCode.vector : TypeCode.varchar;
    default:
      if (/(text|blob)$/.test(name)) return isCompressed ? TypeCode.blobCompressed : TypeCode.blob;
      return GEOMETRY_TYPES.includes(geometryName(name)) ? TypeCode.geometry : TypeCode.decimal;
  }
}

function geometryName(name: string): string {
  return name === 'geomcollection' ? 'geometrycollection' : name;
}

/** Bytes of the length in front of a BLOB or TEXT. */
const LENGTH_BYTES: Readonly<Record<string, number>> = { tiny: 1, medium: 3, long: 4 };
const ADDRESS_BYTES: Readonly<Record<string, number>> = { uuid: 16, inet4: 4, inet6: 16 };
const VECTOR_ITEM_BYTES = 4;

/** The metadata of a table map. */
function lengthOf(name: string, code: number, columnType: string, { bytes }: ColumnStorage, declared: number): number {
  switch (code) {
    case TypeCode.float:
      return 4;
    case TypeCode.double:
      return 8;
    case TypeCode.bit:
      return declared;
    case TypeCode.enum:
      return declaredLabels(columnType).length > 255 ? 2 : 1;
    case TypeCode.set: {
      const size = (declaredLabels(columnType).length + 7) >> 3;
      return size > 4 ? 8 : size;
    }
    case TypeCode.json:
    case TypeCode.geometry:
    case TypeCode.vector:
      return 4;
    case TypeCode.varcharCompressed:
      // A byte says how it is compressed.
      return (bytes ?? declared) + 1;
    case TypeCode.string:
    case TypeCode.varchar:
      if (name === 'vector') return declared * VECTOR_ITEM_BYTES;
      return ADDRESS_BYTES[name] ?? bytes ?? declared;
    case TypeCode.blob:
    case TypeCode.blobCompressed:
      return LENGTH_BYTES[/^(tiny|medium|long)/.exec(name)?.[1] ?? ''] ?? 2;
    default:
      return 0;
  }
}
