import { ConfigurationError, ResyncRequiredError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { SchemaStore } from '../../src/core/schema-store.ts';
import { insertOnlyPublication, type PostgresConfig } from './config.ts';
import type { SqlConnection } from './connection.ts';
import { quoteIdentifier } from './protocol/start-replication.ts';
import { type PublicationFacts, readPublications } from './publication.ts';
import { type CoverageRecord, findLostCoverage, recordCoverage, uncoveredTables } from './publication-coverage.ts';
import { type PublishableTable, readPublishableTables } from './publishable-tables.ts';
import type { ServerFacts } from './server-facts.ts';

/** Key of the coverage record in the schema store; relations have numbers. */
const COVERAGE_KEY = 'publications';

/** Publications that the stream asks for. */
export function publicationNames(config: PostgresConfig): readonly string[] {
  const { slot } = config;
  return slot.autocreate === 'filtered' ? [slot.publication, insertOnlyPublication(slot)] : [slot.publication];
}

/** Creates, extends and watches over the publications of a source. */
export class PublicationSetup {
  readonly #config: PostgresConfig;
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  readonly #logger: Logger;
  readonly #namedUncovered = new Set<string>();

  constructor(config: PostgresConfig, sql: SqlConnection, server: ServerFacts, logger: Logger) {
    this.#config = config;
    this.#sql = sql;
    this.#server = server;
    this.#logger = logger;
  }

  async missing(signal: AbortSignal): Promise<readonly string[]> {
    const existing = new Set((await this.#read(signal)).map((publication) => publication.name));
    return publicationNames(this.#config).filter((name) => !existing.has(name));
  }

  /** Makes sure that every captured table is published, as far as the configuration allows. Call before the slot is made. */
  async ensure(signal: AbortSignal): Promise<void> {
    const { slot } = this.#config;
    const missing = await this.missing(signal);
    switch (slot.autocreate) {
      case 'disabled':
        if (missing.length === 0) return;
        throw new ConfigurationError(`The publication "${slot.publication}" does not exist.`, {
          code: 'POSTGRES_PUBLICATION_MISSING',
          remedy: 'Create it, or set slot.autocreate to filtered.',
        });
      case 'all_tables':
        if (missing.length > 0) await this.#createForAllTables(signal);
        return;
      case 'filtered':
        for (const name of missing) await this.#createEmpty(name, signal);
        await this.#addTables(await this.#uncovered(signal), signal);
    }
  }

  /**
   * Compares the publications with what was recorded, adds tables that are new, and records what is there now.
   * @param since where the stream stands, for the record.
   * @throws ResyncRequiredError where changes may have been left out.
   */
  async verify(schemas: SchemaStore, since: string, isNew: boolean, signal: AbortSignal): Promise<void> {
    const newest = schemas.versions(COVERAGE_KEY).at(-1);
    const recorded = isNew ? null : (newest?.resolved ?? null);
    const tables = await readPublishableTables(this.#sql, this.#config.source, signal);
    const publications = await this.#read(signal);
    const lost =
      recorded === null ? null : findLostCoverage(JSON.parse(recorded) as CoverageRecord, publications, tables);
    if (lost !== null) {
      throw new ResyncRequiredError(`Changes may have been left out: ${lost}.`, {
        code: 'POSTGRES_PUBLICATION_CHANGED',
        remedy: 'Restore the publication as it was, then run `tailrace resync` to take a new snapshot.',
      });
    }
    const isFiltered = this.#config.slot.autocreate === 'filtered';
    const uncovered = uncoveredTables(publications, tables, isFiltered);
    let current = publications;
    if (uncovered.length > 0 && isFiltered) {
      await this.#addTables(uncovered, signal);
      current = await this.#read(signal);
    } else {
      this.#warnOfUncovered(uncovered);
    }
    const resolved = JSON.stringify(recordCoverage(current, tables));
    if (resolved === recorded) return;
    // Records are kept in order, also when the position was set back or the source is another server now.
    const later = newest !== undefined && newest.since > since ? newest.since : since;
    await schemas.add(COVERAGE_KEY, { layout: COVERAGE_KEY, since: later, resolved }, signal);
  }

  /** Drops what `ensure` creates. */
  async drop(signal: AbortSignal): Promise<void> {
    if (this.#config.slot.autocreate === 'disabled') return;
    for (const name of publicationNames(this.#config)) {
      await this.#sql.query(
        'dropping a publication',
        `DROP PUBLICATION IF EXISTS ${quoteIdentifier(name)}`,
        [],
        signal,
      );
    }
  }

  #read(signal: AbortSignal): Promise<readonly PublicationFacts[]> {
    return readPublications(this.#sql, publicationNames(this.#config), this.#server.version, signal);
  }

  async #uncovered(signal: AbortSignal): Promise<readonly PublishableTable[]> {
    const tables = await readPublishableTables(this.#sql, this.#config.source, signal);
    return uncoveredTables(await this.#read(signal), tables, true);
  }

  async #createForAllTables(signal: AbortSignal): Promise<void> {
    const tables = await readPublishableTables(this.#sql, null, signal);
    const without = tables.filter((table) => !table.hasIdentity).map((table) => `${table.schema}.${table.name}`);
    if (without.length > 0) {
      throw new ConfigurationError(
        `A publication for all tables would make UPDATE and DELETE fail on ${without.slice(0, 10).join(', ')}${
          without.length > 10 ? ` and ${without.length - 10} more` : ''
        }, which have no usable replica identity.`,
        {
          code: 'POSTGRES_NO_REPLICA_IDENTITY',
          remedy: 'Give them a primary key or REPLICA IDENTITY FULL, or set slot.autocreate to filtered.',
        },
      );
    }
    await this.#create(this.#config.slot.publication, 'FOR ALL TABLES', 'insert, update, delete, truncate', signal);
  }

  async #createEmpty(name: string, signal: AbortSignal): Promise<void> {
    const insertOnly = name === insertOnlyPublication(this.#config.slot);
    await this.#create(name, '', insertOnly ? 'insert, truncate' : 'insert, update, delete, truncate', signal);
  }

  async #create(name: string, what: string, operations: string, signal: AbortSignal): Promise<void> {
    const viaRoot = this.#config.publishViaPartitionRoot;
    await this.#sql.query(
      'creating a publication',
      `CREATE PUBLICATION ${quoteIdentifier(name)} ${what} WITH (publish = '${operations}', publish_via_partition_root = ${viaRoot})`,
      [],
      signal,
    );
    this.#logger.info({ publication: name, publish: operations }, 'created a publication');
  }

  async #addTables(tables: readonly PublishableTable[], signal: AbortSignal): Promise<void> {
    const { slot } = this.#config;
    const insertOnly = insertOnlyPublication(slot);
    await this.#addTo(
      slot.publication,
      tables.filter((table) => table.hasIdentity),
      signal,
    );
    await this.#addTo(
      insertOnly,
      tables.filter((table) => !table.hasIdentity),
      signal,
    );
  }

  async #addTo(publication: string, tables: readonly PublishableTable[], signal: AbortSignal): Promise<void> {
    if (tables.length === 0) return;
    const list = tables.map((table) => `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)}`).join(', ');
    await this.#sql.query(
      'adding tables to a publication',
      `ALTER PUBLICATION ${quoteIdentifier(publication)} ADD TABLE ${list}`,
      [],
      signal,
    );
    const names = tables.map((table) => `${table.schema}.${table.name}`);
    this.#logger.info(
      { publication, tables: names },
      'added tables to the publication; earlier changes of them are not captured',
    );
    if (publication === insertOnlyPublication(this.#config.slot)) {
      this.#logger.warn(
        { tables: names },
        'only INSERT and TRUNCATE of these tables are captured: they have no usable replica identity. Give them a primary key or REPLICA IDENTITY FULL.',
      );
    }
  }

  #warnOfUncovered(tables: readonly PublishableTable[]): void {
    const names = tables
      .map((table) => `${table.schema}.${table.name}`)
      .filter((name) => !this.#namedUncovered.has(name));
    if (names.length === 0) return;
    for (const name of names) this.#namedUncovered.add(name);
    this.#logger.warn(
      { publication: this.#config.slot.publication, tables: names },
      'these tables are configured but not in the publication; add them to it, or exclude them.',
    );
  }
}
