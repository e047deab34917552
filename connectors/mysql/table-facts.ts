import type { CatalogTable } from './catalog-column.ts';
import { mysqlTypeOf, type TypeContext } from './column-type.ts';
import { isLoggedAs } from './logged-type.ts';
import type { MySqlType } from './mysql-type.ts';
import type { TableMap } from './protocol/table-map.ts';

/** What a table version was resolved to: stored as JSON, so that a replay after later DDL makes the same one. */
export interface TableFacts {
  readonly columns: readonly ColumnFacts[];
  /** Names of the key's columns in key order; null for a keyless table. */
  readonly key: readonly string[] | null;
}

export interface ColumnFacts {
  readonly name: string;
  readonly type: MySqlType;
  readonly nullable: boolean;
  /** COLUMN_DEFAULT as the server wrote it, or null. */
  readonly default: string | null;
  readonly extra: string;
  readonly comment: string;
}

/**
 * Puts together what the log says of a table and what the catalog adds. Where the two differ, the catalog is ahead of the
 * log: a column that it does not know any more has no default.
 * @returns null where the log has no names and the catalog cannot give them.
 */
export function resolveFacts(context: TypeContext, map: TableMap, catalog: CatalogTable | null): TableFacts | null {
  const names = map.optional.names ?? namesByPlace(context, map, catalog);
  if (names === null) return null;
  const known = new Map((catalog?.columns ?? []).map((column) => [column.name, column]));
  const columns = names.map((name, index): ColumnFacts => {
    const column = known.get(name) ?? null;
    return {
      name,
      type: mysqlTypeOf(context, map, index, column),
      nullable: map.nullable[index] === 1,
      default: column?.default ?? null,
      extra: column?.extra ?? '',
      comment: column?.comment ?? '',
    };
  });
  return { columns, key: keyOf(map, names, catalog) };
}

/** Without names in the log the places have to do, as long as everything that the log says of each column fits. */
function namesByPlace(context: TypeContext, map: TableMap, catalog: CatalogTable | null): readonly string[] | null {
  if (catalog === null || catalog.columns.length !== map.types.length) return null;
  const fits = catalog.columns.every((column, index) => isLoggedAs(context, map, index, column));
  return fits ? catalog.columns.map((column) => column.name) : null;
}

function keyOf(map: TableMap, names: readonly string[], catalog: CatalogTable | null): readonly string[] | null {
  const { primaryKey } = map.optional;
  if (primaryKey !== null && primaryKey.length > 0) return primaryKey.map((index) => names[index] as string);
  const key = catalog?.key ?? null;
  // With full metadata a table whose map has no primary key had none.
  if (key === null || (map.optional.names !== null && sameNames(key, catalog?.primaryKey ?? []))) return null;
  return key.every((name) => names.includes(name)) ? key : null;
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}
