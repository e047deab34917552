import { FatalError } from '../../../src/core/errors.ts';
import { type Column, qualifiedName, type TableId } from '../../../src/core/table.ts';
import { buildTableVersion, layoutOf } from '../build-table-version.ts';
import type { PgType, TypeModes } from '../pg-type.ts';
import { encodeRelation } from '../protocol/encode-relation.ts';
import type { RelationMessage } from '../protocol/pgoutput-messages.ts';
import { quoteIdentifier } from '../protocol/start-replication.ts';
import { type RelationFacts, withNullable } from '../relation-facts.ts';
import { type KeyColumn, KeyOrder, qualified } from './key-order.ts';
import type { RowBatch } from './row-batch.ts';
import { RowTableVersion } from './row-version.ts';

export interface ViewTableParts {
  readonly database: string;
  readonly relation: RelationMessage;
  readonly facts: RelationFacts;
  readonly modes: TypeModes;
  readonly isPartitioned: boolean;
  /** The index behind the key, or null where none can be used. */
  readonly keyColumns: readonly KeyColumn[] | null;
  /** The publication's condition on rows: the stream has no others. */
  readonly rowFilter: string | null;
}

/** Versions by fingerprint: the same version stays the same object from view to view. */
export type KnownVersions = Map<string, RowTableVersion>;

/** A table as the catalog of one view describes it: how it is read, and what its rows are. */
export class ViewTable {
  readonly id: TableId;
  readonly oid: number;
  readonly key: KeyOrder | null;
  readonly rowFilter: string | null;
  /** With `ONLY` where it has rows of its own. */
  readonly from: string;
  readonly #parts: ViewTableParts;
  readonly #known: KnownVersions;
  /** Places in the Relation message where a row had NULL although the catalog says NOT NULL. */
  readonly #metNull = new Set<number>();
  /** For each column of the version, its place in the Relation message. */
  readonly #places: readonly number[];
  #version: RowTableVersion;
  #notNull: readonly number[] = [];

  constructor(parts: ViewTableParts, known: KnownVersions) {
    this.#parts = parts;
    this.#known = known;
    const { relation, database, keyColumns, isPartitioned } = parts;
    this.id = { database, schema: relation.schema, name: relation.name };
    this.oid = relation.oid;
    this.rowFilter = parts.rowFilter;
    this.from = `${isPartitioned ? '' : 'ONLY '}${qualified([relation.schema, relation.name])}`;
    this.#version = this.#resolve();
    const place = new Map(relation.columns.map(({ name }, index) => [name, index]));
    this.#places = this.#version.columns.map(({ name }) => place.get(name)!);
    this.#watchNulls();
    this.key = this.#version.key === null || keyColumns === null ? null : new KeyOrder(keyColumns);
  }

  get version(): RowTableVersion {
    return this.#version;
  }

  /** What is read of each row: the columns of the version, in its order. */
  get columnList(): string {
    return this.#version.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  }

  /** Indexes of the key's columns in the version, in the order of the key. */
  get keyIndexes(): readonly number[] {
    const names = this.#version.columns.map(({ name }) => name);
    return this.key?.columns.map(({ name }) => names.indexOf(name)) ?? [];
  }

  /**
   * The version of a row that was read. A NULL in a column that the catalog calls NOT NULL (a constraint that is not valid
   * yet) begins a nullable one, as in the stream.
   */
  versionOf(batch: RowBatch, index: number): RowTableVersion {
    for (const column of this.#notNull) {
      if (batch.isNull(index, column)) return this.#admitNulls(batch, index);
    }
    return this.#version;
  }

  #admitNulls(batch: RowBatch, index: number): RowTableVersion {
    for (const column of this.#notNull) {
      if (batch.isNull(index, column)) this.#metNull.add(this.#places[column]!);
    }
    this.#version = this.#resolve();
    this.#watchNulls();
    return this.#version;
  }

  #resolve(): RowTableVersion {
    const { database, relation, facts, modes } = this.#parts;
    const bytes = encodeRelation(relation);
    const layout = layoutOf(bytes, 0, bytes.length);
    const built = buildTableVersion(database, relation, layout, withNullable(facts, this.#metNull), modes);
    const known = this.#known.get(built.fingerprint);
    if (known !== undefined) return known;
    const version = new RowTableVersion(built);
    this.#known.set(built.fingerprint, version);
    return version;
  }

  #watchNulls(): void {
    const isForbidden = ({ nullable }: Column) => !nullable;
    this.#notNull = this.#version.columns.flatMap((column, index) => (isForbidden(column) ? [index] : []));
  }
}

/** The type that a domain is over in the end. */
export function withoutDomains(type: PgType): PgType {
  return type.base === null ? type : withoutDomains(type.base.type);
}

export function requireTable(tables: ReadonlyMap<string, ViewTable>, id: TableId): ViewTable {
  const table = tables.get(qualifiedName(id));
  if (table !== undefined) return table;
  throw new FatalError(`The table ${qualifiedName(id)} is read from a view that was not opened for it.`, {
    code: 'POSTGRES_SNAPSHOT_CALLS',
    remedy: 'Report this: the calls of a snapshot came in the wrong order.',
  });
}
