/** What INFORMATION_SCHEMA.COLUMNS says of a column. */
export interface CatalogColumn {
  readonly name: string;
  /** COLUMN_TYPE, lower case outside of quotes: `int(11) unsigned`, `enum('a','B')`, `uuid`. */
  readonly columnType: string;
  readonly nullable: boolean;
  /** COLUMN_DEFAULT as this server writes it, or null. */
  readonly default: string | null;
  /** CHARACTER_SET_NAME; null of types without one, BINARY and BLOB included. */
  readonly charset: string | null;
  /** EXTRA, lower case: `auto_increment`, `default_generated`, `virtual generated`, … */
  readonly extra: string;
  readonly comment: string;
}

/** A table as the catalog has it now. */
export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  /** The primary key in its order, else the first unique index without nullable columns; null where there is neither. */
  readonly key: readonly string[] | null;
  /** The primary key alone. */
  readonly primaryKey: readonly string[];
  readonly defaultCharset: string | null;
}
