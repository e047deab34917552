import { ConfigurationError, ResyncRequiredError, TailraceError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { SchemaStore } from '../../src/core/schema-store.ts';
import { capturesTable } from '../../src/core/settings.ts';
import { insertOnlyPublication, type PostgresConfig } from './config.ts';
import type { SqlConnection } from './connection.ts';
import { quoteIdentifier } from './protocol/start-replication.ts';
import { type PublicationFacts, readPublications } from './publication.ts';
import { alterPublications } from './publication-alteration.ts';
import { type CoverageRecord, findLostCoverage, type RecordedMove, recordCoverage } from './publication-coverage.ts';
import {
  findProblems,
  type PublicationChange,
  type PublicationPair,
  type PublicationPlan,
  planPublications,
} from './publication-plan.ts';
import { PublicationReport } from './publication-report.ts';
import { type PublishableTable, readPublishableTables } from './publishable-tables.ts';
import type { ServerFacts } from './server-facts.ts';

/** How long the application's UPDATE and DELETE may fail on a table that loses its replica identity. */
export const PUBLICATION_CHECK_MS = 5_000;

/** Key of the coverage record in the schema store; relations have numbers. */
const COVERAGE_KEY = 'publications';

/** Publications that the stream asks for. */
export function publicationNames(config: PostgresConfig): readonly string[] {
  const { slot } = config;
  return slot.autocreate === 'filtered' ? [slot.publication, insertOnlyPublication(slot)] : [slot.publication];
}

export function publicationPair(slot: PostgresConfig['slot']): PublicationPair {
  return { updates: slot.publication, inserts: insertOnlyPublication(slot) };
}

interface Look {
  readonly publications: readonly PublicationFacts[];
  readonly tables: readonly PublishableTable[];
  readonly captured: readonly PublishableTable[];
}

type Failures = ReadonlyMap<PublishableTable, TailraceError>;

/** Creates, extends and watches over the publications of a source. */
export class PublicationSetup {
  readonly #config: PostgresConfig;
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  readonly #logger: Logger;
  readonly #pair: PublicationPair;
  /** What their tables need is done by us; on a standby nobody can. */
  readonly #isOurs: boolean;
  readonly #report: PublicationReport;

  constructor(config: PostgresConfig, sql: SqlConnection, server: ServerFacts, logger: Logger) {
    this.#config = config;
    this.#sql = sql;
    this.#server = server;
    this.#logger = logger;
    this.#pair = publicationPair(config.slot);
    this.#isOurs = config.slot.autocreate === 'filtered' && !server.isStandby;
    this.#report = new PublicationReport(logger, this.#pair, this.#isOurs);
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
        await this.#makeAll(this.#plan(await this.#look(signal)).changes, signal);
    }
  }

  /** Adapts the publications to the tables as they are now, as far as that is allowed and no lock is in the way. */
  async follow(signal: AbortSignal): Promise<void> {
    const { changes, problems } = this.#plan(await this.#look(signal));
    this.#report.problems(problems, await this.#makeEach(changes, signal));
  }

  /**
   * As `follow`, for a stream that must not miss a change: compares the publications with what was recorded, and records
   * what is there now. Moves are recorded before they are made, so that after a crash they are known to be ours.
   * @param since where the stream stands, for the record.
   * @throws ResyncRequiredError where changes may have been left out.
   */
  async verify(schemas: SchemaStore, since: string, isNew: boolean, signal: AbortSignal): Promise<void> {
    let plan = await this.#record(schemas, since, isNew, signal);
    let failures: Failures = new Map();
    if (plan.changes.length > 0) {
      failures = await this.#makeEach(plan.changes, signal);
      plan = await this.#record(schemas, since, false, signal);
    }
    this.#report.problems(plan.problems, failures);
  }

  /** @returns what is to be done next. */
  async #record(schemas: SchemaStore, since: string, isNew: boolean, signal: AbortSignal): Promise<PublicationPlan> {
    const newest = schemas.versions(COVERAGE_KEY).at(-1);
    const recorded = isNew ? null : (newest?.resolved ?? null);
    const look = await this.#look(signal);
    const { publications, captured } = look;
    const lost =
      recorded === null ? null : findLostCoverage(JSON.parse(recorded) as CoverageRecord, publications, captured);
    if (lost !== null) {
      throw new ResyncRequiredError(`Changes may have been left out: ${lost}.`, {
        code: 'POSTGRES_PUBLICATION_CHANGED',
        remedy: 'Restore the publication as it was, then run `tailrace resync` to take a new snapshot.',
      });
    }
    const plan = this.#plan(look);
    const resolved = JSON.stringify(recordCoverage(publications, captured, movesOf(plan)));
    if (resolved !== recorded) {
      // Records are kept in order, also when the position was set back or the source is another server now.
      const later = newest !== undefined && newest.since > since ? newest.since : since;
      await schemas.add(COVERAGE_KEY, { layout: COVERAGE_KEY, since: later, resolved }, signal);
    }
    return plan;
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

  async #look(signal: AbortSignal): Promise<Look> {
    const { source } = this.#config;
    const tables = await readPublishableTables(this.#sql, null, signal);
    const captured = tables.filter(({ schema, name }) => capturesTable(source, `${schema}.${name}`));
    return { tables, captured, publications: await this.#read(signal) };
  }

  #plan({ publications, tables, captured }: Look): PublicationPlan {
    const { autocreate } = this.#config.slot;
    if (this.#isOurs) return planPublications(publications, tables, captured, this.#pair);
    return {
      changes: [],
      problems: findProblems(publications, autocreate === 'all_tables' ? tables : captured, captured),
    };
  }

  /** Many tables at once, before there is a stream. */
  async #makeAll(changes: readonly PublicationChange[], signal: AbortSignal): Promise<void> {
    for (const group of Map.groupBy(changes, ({ kind, to }) => `${kind} ${to}`).values()) {
      await alterPublications(this.#sql, group, signal);
      this.#report.done(group);
    }
  }

  /** Each table for itself: one that is locked does not hold up the others. @returns what went wrong. */
  async #makeEach(changes: readonly PublicationChange[], signal: AbortSignal): Promise<Failures> {
    const failures = new Map<PublishableTable, TailraceError>();
    const waiting = new Set<number>();
    const done: PublicationChange[] = [];
    try {
      for (const change of changes) {
        if (change.kind === 'lost' && waiting.has(change.table.oid)) continue;
        try {
          await alterPublications(this.#sql, [change], signal);
          done.push(change);
        } catch (error) {
          signal.throwIfAborted();
          if (!(error instanceof TailraceError)) throw error;
          failures.set(change.table, error);
          // What publishes a partition stays until the partition is published by itself.
          if (change.kind === 'detached') for (const oid of change.table.ancestors) waiting.add(oid);
        }
      }
    } finally {
      this.#report.done(done);
    }
    return failures;
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
}

function movesOf({ changes }: PublicationPlan): readonly RecordedMove[] {
  return changes.flatMap(({ table, from, to }) => (from === null ? [] : [{ table: table.oid, from, to }]));
}
