import type { CommonTypeModes } from '../../src/core/type-modes.ts';

/** Which server speaks. The two share the protocol and differ in events, types and GTIDs. */
export type Dialect = 'mysql' | 'mariadb';

/** A column's type as its codec needs it. Plain data: it is stored as JSON with the version of its table. */
export interface MySqlType {
  readonly dialect: Dialect;
  /** One of `TypeCode`, never `string` for an ENUM or SET. */
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
  /** Character set of text, ENUM and SET (`utf8mb4`, `latin1`, `binary`, …); null where the type has none. */
  readonly charset: string | null;
  /** Labels of an ENUM or SET in the order of their numbers, else null. */
  readonly labels: readonly string[] | null;
  /** Declared sub-type of GEOMETRY (0 any, 1 point, 2 linestring … 7 collection), else null. */
  readonly geometryType: number | null;
  /** COLUMN_TYPE of INFORMATION_SCHEMA, lower case outside of quotes (`float(7,3)`, `uuid`), or null where nobody knows. */
  readonly declared: string | null;
}

/** How values are represented, as configured under `types:`. */
export interface TypeModes extends CommonTypeModes {
  readonly bigintUnsigned: 'long' | 'precise';
  /** Whether comments of columns are in the schema; MariaDB's connector always writes them. */
  readonly comments: boolean;
}
