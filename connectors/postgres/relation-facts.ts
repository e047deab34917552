import type { CatalogTable } from './catalog.ts';
import type { PgType } from './pg-type.ts';
import type { RelationMessage } from './protocol/pgoutput-messages.ts';

/**
 * What the log does not say about a relation, resolved when its layout was first met. Kept as JSON beside the checkpoint:
 * with the Relation message it makes the same table version again without the catalog.
 */
export interface RelationFacts {
  /** One for each column of the Relation message. */
  readonly columns: readonly ColumnFacts[];
  /** Column names in key order; null for a keyless table. */
  readonly key: readonly string[] | null;
}

export interface ColumnFacts {
  readonly type: PgType;
  readonly nullable: boolean;
  readonly defaultExpression: string | null;
}

const TEXT_TYPE: PgType = {
  oid: 25,
  schema: 'pg_catalog',
  name: 'text',
  kind: 'base',
  element: null,
  base: null,
  labels: [],
};

/** Joins the log's layout with the catalog, which may be ahead of it: what does not match is nullable without default. */
export function resolveFacts(
  relation: RelationMessage,
  catalog: CatalogTable,
  types: ReadonlyMap<number, PgType>,
): RelationFacts {
  return {
    columns: relation.columns.map((column) => {
      const known = catalog.columns.get(column.name);
      return {
        // A dropped type still has a text form, which is what the log carries.
        type: types.get(column.typeOid) ?? TEXT_TYPE,
        nullable: known?.nullable ?? true,
        defaultExpression: known?.defaultExpression ?? null,
      };
    }),
    key: resolveKey(relation, catalog),
  };
}

/**
 * The primary key in its own order; else a unique key on NOT NULL columns. Under REPLICA IDENTITY USING INDEX whose columns
 * lack the primary key, the index's columns: old images have nothing else. The log's flags win over a later catalog.
 */
export function resolveKey(relation: RelationMessage, catalog: CatalogTable): readonly string[] | null {
  const names = new Set(relation.columns.map((column) => column.name));
  const flagged = relation.columns.filter((column) => column.isKey).map((column) => column.name);
  const inLog = (key: readonly string[]): boolean => key.every((name) => names.has(name));
  const flaggedExactly = (key: readonly string[] | null): key is readonly string[] =>
    key !== null && key.length === flagged.length && key.every((name) => flagged.includes(name));
  const primaryKey = catalog.primaryKey !== null && inLog(catalog.primaryKey) ? catalog.primaryKey : null;
  switch (relation.replicaIdentity) {
    case 'd':
      // The flags are the primary key of that time, without its order.
      if (flagged.length > 0) return flaggedExactly(primaryKey) ? primaryKey : flagged;
      break;
    case 'i':
      if (primaryKey?.every((name) => flagged.includes(name))) return primaryKey;
      return flaggedExactly(catalog.identityIndex) ? catalog.identityIndex : flagged.length > 0 ? flagged : null;
    default:
      if (primaryKey !== null) return primaryKey;
  }
  return catalog.uniqueKeys.find(inLog) ?? null;
}

/** The same facts with some columns nullable: the log had NULL where the catalog says NOT NULL. */
export function withNullable(facts: RelationFacts, indexes: ReadonlySet<number>): RelationFacts {
  return {
    ...facts,
    columns: facts.columns.map((column, index) => (indexes.has(index) ? { ...column, nullable: true } : column)),
  };
}
