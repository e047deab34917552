import type { CatalogColumn } from './catalog-column.ts';
import { declaredLabels, type TypeContext } from './column-type.ts';
import type { TableMap } from './protocol/table-map.ts';
import { TypeCode } from './protocol/type-code.ts';

const TEXT_OR_BLOB = [TypeCode.blob, TypeCode.blobCompressed];
const GEOMETRY = [TypeCode.geometry];

/** The types of columns as the catalog names them, and the codes that the log may have for each. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  tinyint: [TypeCode.tiny],
  smallint: [TypeCode.short],
  mediumint: [TypeCode.int24],
  int: [TypeCode.long],
  bigint: [TypeCode.longlong],
  float: [TypeCode.float],
  double: [TypeCode.double],
  decimal: [TypeCode.newDecimal],
  bit: [TypeCode.bit],
  year: [TypeCode.year],
  date: [TypeCode.date, TypeCode.newDate],
  time: [TypeCode.time, TypeCode.time2],
  datetime: [TypeCode.datetime, TypeCode.datetime2],
  timestamp: [TypeCode.timestamp, TypeCode.timestamp2],
  char: [TypeCode.string],
  binary: [TypeCode.string],
  varchar: [TypeCode.varchar, TypeCode.varString, TypeCode.varcharCompressed],
  varbinary: [TypeCode.varchar, TypeCode.varString, TypeCode.varcharCompressed],
  tinytext: TEXT_OR_BLOB,
  text: TEXT_OR_BLOB,
  mediumtext: TEXT_OR_BLOB,
  longtext: TEXT_OR_BLOB,
  tinyblob: TEXT_OR_BLOB,
  blob: TEXT_OR_BLOB,
  mediumblob: TEXT_OR_BLOB,
  longblob: TEXT_OR_BLOB,
  json: [TypeCode.json],
  enum: [TypeCode.enum],
  set: [TypeCode.set],
  geometry: GEOMETRY,
  point: GEOMETRY,
  linestring: GEOMETRY,
  polygon: GEOMETRY,
  multipoint: GEOMETRY,
  multilinestring: GEOMETRY,
  multipolygon: GEOMETRY,
  geometrycollection: GEOMETRY,
  geomcollection: GEOMETRY,
  vector: [TypeCode.vector, TypeCode.varchar],
  uuid: [TypeCode.string],
  inet: [TypeCode.string],
};

/** Every type that a column may have, as the catalog names it without its length. */
export const DATA_TYPES: readonly string[] = Object.keys(CODES);

/** The codes that the log may have for a type of the catalog. */
export function codesOf(dataType: string): readonly number[] {
  return CODES[dataType] ?? [];
}

/** Bytes of a character at most. */
const CHARACTER_BYTES: Readonly<Record<string, number>> = {
  latin1: 1,
  ascii: 1,
  ucs2: 2,
  utf8: 3,
  utf8mb3: 3,
  utf8mb4: 4,
  utf16: 4,
  utf32: 4,
};
const LENGTH_BYTES: Readonly<Record<string, number>> = { tiny: 1, medium: 3, long: 4 };

/** Whether column `index` of the table map can be the one that the catalog has: its type, size, sign, NULL and text. */
export function isLoggedAs({ charsets }: TypeContext, map: TableMap, index: number, column: CatalogColumn): boolean {
  const { columnType, nullable, charset } = column;
  const [name = ''] = /^[a-z]+/.exec(columnType) ?? [];
  const code = map.types[index] as number;
  if (!codesOf(name).includes(code) || nullable !== (map.nullable[index] === 1)) return false;
  const { unsigned, collations } = map.optional;
  const isUnsigned = /\bunsigned\b/.test(columnType);
  if (unsigned !== null && INTEGERS.has(code) && (unsigned[index] === 1) !== isUnsigned) return false;
  const collation = collations?.[index] ?? null;
  const logged = collation === null ? undefined : charsets.get(collation);
  if (logged !== undefined && charset !== null && logged !== charset) return false;
  const size = sizeOf(name, code, column);
  return size === null || size === map.metadata[index];
}

const INTEGERS: ReadonlySet<number> = new Set([
  TypeCode.tiny,
  TypeCode.short,
  TypeCode.int24,
  TypeCode.long,
  TypeCode.longlong,
]);

/** The metadata that a table map has for such a column; null where that is not told apart. */
function sizeOf(name: string, code: number, { columnType, charset }: CatalogColumn): number | null {
  const [, first, second] = /^[a-z]+\((\d+)(?:,(\d+))?\)/.exec(columnType) ?? [];
  switch (code) {
    case TypeCode.newDecimal:
      return first === undefined ? null : (Number(first) << 8) | Number(second ?? 0);
    case TypeCode.timestamp2:
    case TypeCode.datetime2:
    case TypeCode.time2:
      return Number(first ?? 0);
    case TypeCode.bit:
      return first === undefined ? null : Number(first);
    case TypeCode.enum:
      return declaredLabels(columnType).length > 255 ? 2 : 1;
    case TypeCode.set: {
      const bytes = (declaredLabels(columnType).length + 7) >> 3;
      return bytes > 4 ? 8 : bytes;
    }
    case TypeCode.string:
    case TypeCode.varchar:
    case TypeCode.varString: {
      const bytes = charset === null ? 1 : CHARACTER_BYTES[charset];
      return first === undefined || bytes === undefined || name === 'vector' ? null : Number(first) * bytes;
    }
    case TypeCode.blob:
      return LENGTH_BYTES[/^(tiny|medium|long)/.exec(name)?.[1] ?? ''] ?? 2;
    default:
      return null;
  }
}
