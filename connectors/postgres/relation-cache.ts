import type { Logger } from '../../src/core/logger.ts';
import type { SchemaStore, StoredVersion } from '../../src/core/schema-store.ts';
import { capturesTable, type SourceSettings } from '../../src/core/settings.ts';
import { isNewVersion, versionAt } from '../../src/core/stored-versions.ts';
import { buildTableVersion } from './build-table-version.ts';
import { readCatalogTable, readTypes } from './catalog.ts';
import type { SqlConnection } from './connection.ts';
import { type EnumColumn, enumColumns, hasLabels, type MetLabel, withLabels } from './enum-labels.ts';
import type { TypeModes } from './pg-type.ts';
import { compareLsn, type Lsn, lsnSortKey } from './protocol/lsn.ts';
import type { RelationMessage } from './protocol/pgoutput-messages.ts';
import { type RelationFacts, resolveFacts, withNullable } from './relation-facts.ts';
import type { PgTableVersion } from './table-version.ts';

/** A relation as it was last announced. `version` is null until a row needs it, and again when it must be looked at anew. */
export interface Relation {
  readonly message: RelationMessage;
  readonly layout: string;
  /** False for tables outside of the configuration: their rows are stepped over. */
  readonly captured: boolean;
  version: PgTableVersion | null;
  /** 1 for each column that must not be NULL under `version`. */
  notNull: Uint8Array;
  /** Columns (by place in the message) where the log had NULL although the catalog says NOT NULL. */
  readonly metNull: Set<number>;
  /** Columns that are enums, with the labels that `version` lists; null where there are none. */
  enums: readonly EnumColumn[] | null;
  /** Labels in rows that the version of their time did not list. */
  readonly metLabels: MetLabel[];
  /** The version came from the store below `head` and was not compared with the catalog since. */
  unverified: boolean;
  /** Where the store has another version of the same layout: the stream changes to it there. */
  changesAt: string | null;
}

/** Where a change stands in the stream: its transaction's commit, then its own LSN. */
export interface StreamPoint {
  readonly commit: Lsn;
  readonly own: Lsn;
}

/** Sorts as text as the stream does. Row LSNs alone do not: transactions arrive in the order of their commits. */
export function streamPointKey(point: StreamPoint): string {
  return `${lsnSortKey(point.commit.high, point.commit.low)}.${lsnSortKey(point.own.high, point.own.low)}`;
}

export interface RelationCacheOptions {
  readonly database: string;
  readonly source: SourceSettings;
  readonly modes: TypeModes;
  readonly sql: SqlConnection;
  readonly schemas: SchemaStore;
  readonly logger: Logger;
  /** End of the server's log when the stream started: below it the catalog is later than the log. */
  readonly head: Lsn;
}

/**
 * Decides which version of a table a change belongs to. Below `head` a stored version of the same layout is used again, so
 * that a replay after later DDL gives the same records; without one, and from `head` on, the catalog is asked, and what it
 * says is stored where it is new.
 */
export class RelationCache {
  readonly #options: RelationCacheOptions;
  readonly #relations = new Map<number, Relation>();
  /** Kept over announcements: the same version stays the same object. */
  readonly #newestVersions = new Map<number, PgTableVersion>();

  constructor(options: RelationCacheOptions) {
    this.#options = options;
  }

  get(oid: number): Relation | undefined {
    return this.#relations.get(oid);
  }

  announce(message: RelationMessage, layout: string): void {
    this.#relations.set(message.oid, {
      message,
      layout,
      captured: capturesTable(this.#options.source, `${message.schema}.${message.name}`),
      version: null,
      notNull: new Uint8Array(message.columns.length),
      metNull: new Set(),
      enums: null,
      metLabels: [],
      unverified: false,
      changesAt: null,
    });
  }

  /** True from the first transaction on that commits at or after the log's end at the start of the stream. */
  isPastHead(commit: Lsn): boolean {
    return compareLsn(commit, this.#options.head) >= 0;
  }

  /** Versions that were taken from the store are compared with the catalog once the stream is past `head`. */
  expireUnverified(): void {
    for (const relation of this.#relations.values()) {
      if (relation.unverified) relation.version = null;
    }
  }

  /** Gives the relation its version at this point of the stream. Resolves when the version is stored. */
  async resolve(relation: Relation, point: StreamPoint, signal: AbortSignal): Promise<void> {
    const { schemas } = this.#options;
    const key = String(relation.message.oid);
    const since = streamPointKey(point);
    const stored = schemas.versions(key);
    const pastHead = this.isPastHead(point.commit);
    const reusable = pastHead ? null : versionAt(stored, relation.layout, since);
    if (reusable !== null && explainsWhatWasMet(relation, factsOf(reusable))) {
      this.#use(relation, factsOf(reusable), true);
      relation.changesAt = nextChange(stored, relation.layout, since);
      return;
    }
    const catalog = await this.#readFacts(relation.message, signal);
    const facts = withLabels(withNullable(catalog, relation.metNull), relation.metLabels);
    const version: StoredVersion = { layout: relation.layout, since, resolved: JSON.stringify(facts) };
    if (isNewVersion(version, stored)) await schemas.add(key, version, signal);
    this.#use(relation, facts, false);
    relation.changesAt = nextChange(schemas.versions(key), relation.layout, since);
  }

  async #readFacts(message: RelationMessage, signal: AbortSignal): Promise<RelationFacts> {
    const { sql, logger } = this.#options;
    const table = await readCatalogTable(sql, message.oid, signal);
    const types = await readTypes(
      sql,
      message.columns.map((column) => column.typeOid),
      signal,
    );
    const dropped = message.columns.filter((column) => !types.has(column.typeOid));
    if (dropped.length > 0) {
      logger.warn(
        { table: `${message.schema}.${message.name}`, columns: dropped.map((column) => column.name) },
        'The types of these columns were dropped since; their values are published as text.',
      );
    }
    return resolveFacts(message, table, types);
  }

  #use(relation: Relation, facts: RelationFacts, unverified: boolean): void {
    const { database, modes } = this.#options;
    const { message } = relation;
    let version = buildTableVersion(database, message, relation.layout, facts, modes);
    const previous = this.#newestVersions.get(message.oid);
    if (previous?.fingerprint === version.fingerprint) version = previous;
    else this.#warnOfColumnsLeftOut(message, version);
    this.#newestVersions.set(message.oid, version);
    relation.version = version;
    relation.unverified = unverified;
    relation.enums = enumColumns(facts);
    relation.notNull = Uint8Array.from(facts.columns, (column) => (column.nullable ? 0 : 1));
  }

  #warnOfColumnsLeftOut(message: RelationMessage, version: PgTableVersion): void {
    const published = new Set(version.columns.map((column) => column.name));
    const left = message.columns.filter((column) => !published.has(column.name)).map((column) => column.name);
    if (left.length === 0) return;
    this.#options.logger.warn(
      { table: `${message.schema}.${message.name}`, columns: left },
      'These columns have types that are not published; types.unknown: include publishes their text.',
    );
  }
}

function factsOf(version: StoredVersion): RelationFacts {
  return JSON.parse(version.resolved) as RelationFacts;
}

/** Whether the facts allow every NULL and list every label that made the relation look again. */
function explainsWhatWasMet(relation: Relation, facts: RelationFacts): boolean {
  for (const index of relation.metNull) if (facts.columns[index]?.nullable === false) return false;
  return hasLabels(facts, relation.metLabels);
}

function nextChange(versions: readonly StoredVersion[], layout: string, point: string): string | null {
  let next: string | null = null;
  for (const version of versions) {
    if (version.layout === layout && version.since > point && (next === null || version.since < next)) {
      next = version.since;
    }
  }
  return next;
}
