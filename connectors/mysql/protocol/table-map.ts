/** TABLE_MAP_EVENT: which table the rows events after it, of the same table id, belong to, and how their columns lie. */
export interface TableMap {
  /** 48 bits. Valid until the end of the statement; the same id may be announced again, with other columns after a DDL. */
  readonly tableId: number;
  readonly database: string;
  readonly table: string;
  /** `enum_field_types`, one per column; ENUM and SET are already told apart from CHAR. */
  readonly types: Uint8Array;
  /**
   * The metadata of each column, in one number, by type: bytes of VARCHAR, CHAR, BINARY; `precision << 8 | scale` of a
   * DECIMAL; bits of BIT; fractional digits; bytes of the length before a BLOB, JSON, GEOMETRY, VECTOR; bytes of a FLOAT,
   * DOUBLE, ENUM, SET.
   */
  readonly metadata: Uint16Array;
  /** 1 for each column that may be NULL. */
  readonly nullable: Uint8Array;
  /** What `binlog_row_metadata=FULL` (in part: MINIMAL) adds; every field is null where the event does not carry it. */
  readonly optional: OptionalMetadata;
}

export interface OptionalMetadata {
  /** 1 for each column of a numeric type that is unsigned, by column; 0 for others. MINIMAL has it too. */
  readonly unsigned: Uint8Array | null;
  /** Collation id by column, null for columns that are not text (binary strings have 63). MINIMAL has it too. */
  readonly collations: readonly (number | null)[] | null;
  /** Collation id by column of ENUM and SET columns, null for others. */
  readonly labelCollations: readonly (number | null)[] | null;
  readonly names: readonly string[] | null;
  /** Labels of ENUM and SET columns, as the bytes of their charset; null for others. */
  readonly labels: readonly (readonly Uint8Array[] | null)[] | null;
  /** Declared geometry type by column, null for others. */
  readonly geometryTypes: readonly (number | null)[] | null;
  /** Declared number of dimensions of VECTOR columns (MySQL), null for others. */
  readonly vectorDimensions: readonly (number | null)[] | null;
  /** Column indexes of the primary key in key order; null where the event does not say (no FULL, or no primary key). */
  readonly primaryKey: readonly number[] | null;
  /** 1 for each visible column; null: all are visible, or the event does not say. */
  readonly visible: Uint8Array | null;
}

export const NO_OPTIONAL_METADATA: OptionalMetadata = {
  unsigned: null,
  collations: null,
  labelCollations: null,
  names: null,
  labels: null,
  geometryTypes: null,
  vectorDimensions: null,
  primaryKey: null,
  visible: null,
};
