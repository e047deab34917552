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

/** Whether a column that the catalog calls `dataType` can be in the log as `code`. */
export function isLoggedAs(dataType: string, code: number): boolean {
  return CODES[dataType]?.includes(code) ?? false;
}
