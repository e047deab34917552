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

/** A primary key (`PRIMARY`) or unique index. */
export interface UniqueIndex {
  readonly name: string;
  /** `column` is null of an expression; `isWhole` is false where only a prefix of it counts. */
  readonly parts: readonly { readonly column: string | null; readonly isWhole: boolean }[];
}

/** A table as the catalog has it, now or at some point of the log. Plain data: it is stored as JSON. */
export interface CatalogTable {
  readonly columns: readonly CatalogColumn[];
  /** The primary key first, then by name. */
  readonly uniques: readonly UniqueIndex[];
  /** The primary key in its order, else the first unique index without nullable columns; null where there is neither. */
  readonly key: readonly string[] | null;
  /** The primary key alone. */
  readonly primaryKey: readonly string[];
  readonly defaultCharset: string | null;
}

/** Puts a table together; its key follows from its columns and indexes. */
export function catalogTable(
  columns: readonly CatalogColumn[],
  uniques: readonly UniqueIndex[],
  defaultCharset: string | null,
): CatalogTable {
  const primaryKey = columnsOf(uniques.find(({ name }) => name === 'PRIMARY'));
  const key = primaryKey.length > 0 ? primaryKey : uniqueKey(columns, uniques);
  return { columns, uniques, key, primaryKey, defaultCharset };
}

function columnsOf(index: UniqueIndex | undefined): string[] {
  return (index?.parts ?? []).flatMap(({ column }) => (column === null ? [] : [column]));
}

/** As Debezium: where there is no primary key, a unique index over columns that cannot be null. */
function uniqueKey(columns: readonly CatalogColumn[], uniques: readonly UniqueIndex[]): readonly string[] | null {
  const notNull = new Set(columns.filter(({ nullable }) => !nullable).map(({ name }) => name));
  const index = uniques.find(({ parts }) =>
    parts.every(({ column, isWhole }) => column !== null && isWhole && notNull.has(column)),
  );
  return index === undefined ? null : columnsOf(index);
}
