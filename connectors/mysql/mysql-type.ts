/** Which server speaks. The two share the protocol and differ in events, types and GTIDs. */
export type Dialect = 'mysql' | 'mariadb';

/**
 * The type of a column: `enum_field_types` of the server's field_types.h as they stand in a table map, with what is
 * packed into CHAR's metadata taken apart (ENUM and SET travel as CHAR).
 */
export const ColumnType = {
  decimal: 0,
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  null: 6,
  timestamp: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  time: 11,
  datetime: 12,
  year: 13,
  newDate: 14,
  varchar: 15,
  bit: 16,
  timestamp2: 17,
  datetime2: 18,
  time2: 19,
  /** MariaDB: a compressed BLOB or TEXT, and a compressed VARCHAR. */
  blobCompressed: 140,
  varcharCompressed: 141,
  vector: 242,
  json: 245,
  newDecimal: 246,
  enum: 247,
  set: 248,
  tinyBlob: 249,
  mediumBlob: 250,
  longBlob: 251,
  blob: 252,
  varString: 253,
  string: 254,
  geometry: 255,
} as const;

/** A column's type as its codec needs it. Plain data: it is stored as JSON with the version of its table. */
export interface MySqlType {
  readonly dialect: Dialect;
  /** One of `ColumnType`, never `string` for an ENUM or SET. */
  readonly code: number;
  /**
   * By code: bytes of CHAR, VARCHAR, BINARY at most; bits of BIT; bytes of the length in front of a BLOB, JSON, GEOMETRY
   * or VECTOR; bytes of an ENUM or SET; display width has no place here. 0 for the others.
   */
  readonly length: number;
  /** Digits of a DECIMAL, else 0. */
  readonly precision: number;
  /** Digits after the point of a DECIMAL, fractional digits of a TIME, DATETIME or TIMESTAMP, else 0. */
  readonly scale: number;
  readonly unsigned: boolean;
  /** Collation id of text, ENUM and SET; 63 is binary; null where the type has none or the log did not say. */
  readonly collation: number | null;
  /** Labels of an ENUM or SET in the order of their numbers, else null. */
  readonly labels: readonly string[] | null;
  /** Declared sub-type of GEOMETRY (0 any, 1 point, 2 linestring … 7 collection), else null. */
  readonly geometryType: number | null;
  /** COLUMN_TYPE of INFORMATION_SCHEMA, lower case outside of quotes (`float(7,3)`, `uuid`), or null where nobody knows. */
  readonly declared: string | null;
}

/** How values are represented, as configured under `types:` (Debezium's handling modes). */
export interface TypeModes {
  readonly decimal: 'precise' | 'double' | 'string';
  readonly time:
    | 'adaptive'
    | 'adaptive_time_microseconds'
    | 'microseconds'
    | 'nanoseconds'
    | 'connect'
    | 'isostring'
    | 'structured';
  readonly binary: 'bytes' | 'base64' | 'base64-url-safe' | 'hex';
  readonly bigintUnsigned: 'long' | 'precise';
  readonly unavailablePlaceholder: string;
}
