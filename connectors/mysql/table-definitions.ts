import type { SchemaStore, StoredVersion } from '../../src/core/schema-store.ts';
import { readCatalogTable, readDatabaseCharset, readTableNames } from './catalog.ts';
import type { CatalogTable } from './catalog-column.ts';
import type { SqlConnection } from './connection.ts';
import { type DeclarationContext, declarationContextOf } from './declared-type.ts';
import { concerns, LogAhead, type LogSpot } from './log-ahead.ts';
import { type LogHead, readHead, type ServerFacts } from './server-facts.ts';
import type { DdlStatement, TableName, TableStatement } from './statement.ts';
import { alterTable } from './table-alteration.ts';
import { changeIndex, readCreateTable } from './table-creation.ts';

/** Where a change or a statement is in the log. */
export interface LogPoint extends LogSpot {
  /** Text that sorts as the log does. */
  readonly key: string;
}

/** A statement as it was logged. */
export interface LoggedStatement {
  readonly text: string;
  /** The default database of the connection that ran it. */
  readonly database: string;
  readonly sqlMode: number;
}

export interface TableDefinitionsOptions {
  readonly sql: SqlConnection;
  readonly server: ServerFacts;
  readonly schemas: SchemaStore;
  readonly captures: (name: TableName) => boolean;
}

/** What a table was from some point of the log on; null where nobody knows, or there was none. */
interface Definition {
  readonly since: string;
  readonly table: CatalogTable | null;
}

const RELATION = 'definition/';
const LAYOUT = 'definition';
const OR_REPLACE = /^[^(]*\bor\s+replace\b/i;

/**
 * What tables are at a point of the log whose table maps have no names (`binlog_row_metadata` is not FULL). Two ways lead
 * there, and neither guesses. The catalog, where no DDL about the table lies between the point and the end of the log. Or
 * what the table was before, and a statement that says plainly what it changes. Each answer is stored, so that a replay
 * gives the same.
 */
export class TableDefinitions {
  readonly #options: TableDefinitionsOptions;
  readonly #ahead: LogAhead;
  readonly #context: Omit<DeclarationContext, 'defaultCharset'>;
  readonly #tracks: boolean;
  readonly #folds: boolean;
  /** What could not be stored, because the store is later already. */
  readonly #unstored = new Map<string, Definition[]>();

  constructor(options: TableDefinitionsOptions) {
    this.#options = options;
    const { dialect, version, variables } = options.server;
    this.#ahead = new LogAhead(options.sql, options.server);
    this.#context = declarationContextOf(dialect, version);
    this.#tracks = !hasNames(options.server);
    this.#folds = (variables.get('lower_case_table_names') ?? '0') !== '0';
  }

  /** What is known of the table at the point without asking the server. */
  known(name: TableName, point: string): CatalogTable | null {
    const definition = this.#newest(this.#relationOf(name), point);
    const barriers = [RELATION, this.#databaseRelation(name.database)].map((relation) => this.#newest(relation, point));
    const isVoid = barriers.some((barrier) => barrier !== null && barrier.since > (definition?.since ?? ''));
    return isVoid ? null : (definition?.table ?? null);
  }

  /** Asks the server, which knows only where no DDL about the table came since; remembers what it says. */
  async prove(name: TableName, point: LogPoint, signal: AbortSignal): Promise<CatalogTable | null> {
    const proof = await this.#prove(name, point, signal);
    if (proof === undefined || proof === null) return null;
    await this.#store(this.#relationOf(name), point.key, proof, signal);
    return proof;
  }

  /** Takes what tables were at the start of the stream. */
  async seed(tables: ReadonlyMap<TableName, CatalogTable>, point: string, signal: AbortSignal): Promise<void> {
    for (const [name, table] of tables) await this.#store(this.#relationOf(name), point, table, signal);
  }

  async onStatement(
    statement: DdlStatement,
    logged: LoggedStatement,
    point: LogPoint,
    signal: AbortSignal,
  ): Promise<void> {
    if (statement.kind === 'database') {
      if (statement.verb === 'drop') await this.#void(this.#databaseRelation(statement.database), point, signal);
      return;
    }
    const { temporary, verb } = statement;
    if (temporary || verb === 'truncate') return;
    if (statement.tables === null) {
      await this.#void(RELATION, point, signal);
      return;
    }
    const tables = statement.tables.map(this.#folded);
    const names = this.#distinct(tables).filter(this.#options.captures);
    // A replay: what this statement came to is stored.
    if (names.every((name) => this.#isDecided(name, point.key))) return;
    const after = this.#tracks ? await this.#outcome(statement, tables, names, logged, point, signal) : null;
    for (const [index, name] of names.entries()) {
      const relation = this.#relationOf(name);
      if (this.#isDecided(name, point.key)) continue;
      // Nothing is kept of tables of which nothing was: the catalog is asked when a row comes.
      const table = after?.[index] ?? null;
      if (table !== null || this.#newest(relation, point.key)?.table != null)
        await this.#store(relation, point.key, table, signal);
    }
  }

  /** What the statement made of each table. */
  async #outcome(
    statement: TableStatement,
    tables: readonly TableName[],
    names: readonly TableName[],
    logged: LoggedStatement,
    point: LogPoint,
    signal: AbortSignal,
  ): Promise<(CatalogTable | null)[]> {
    if (statement.verb === 'drop') return names.map(() => null);
    const read = await this.#read(statement, tables, logged, point, signal);
    const outcome: (CatalogTable | null)[] = [];
    for (const name of names) {
      const proof = await this.#prove(name, point, signal);
      outcome.push(proof === undefined ? (read.get(this.#relationOf(name)) ?? null) : proof);
    }
    return outcome;
  }

  /** What the text says of it, by relation; nothing where it does not say it plainly. */
  async #read(
    { verb }: TableStatement,
    tables: readonly TableName[],
    logged: LoggedStatement,
    point: LogPoint,
    signal: AbortSignal,
  ): Promise<Map<string, CatalogTable | null>> {
    const { text, database, sqlMode } = logged;
    const read = new Map<string, CatalogTable | null>();
    const [first, second] = tables as [TableName, TableName?];
    const before = this.known(first, point.key);
    if (verb === 'rename') {
      for (let pair = 0; pair + 1 < tables.length; pair += 2) {
        const [from, to] = tables.slice(pair, pair + 2) as [TableName, TableName];
        const key = this.#relationOf(from);
        read.set(this.#relationOf(to), read.has(key) ? (read.get(key) ?? null) : this.known(from, point.key));
        read.set(key, null);
      }
    } else if (verb === 'alter' && before !== null) {
      const altered = alterTable(before, text, sqlMode, this.#context);
      read.set(this.#relationOf(first), second === undefined ? altered : null);
      if (second !== undefined) read.set(this.#relationOf(second), altered);
    } else if (verb === 'index' && before !== null) {
      read.set(this.#relationOf(first), changeIndex(before, text, sqlMode, this.#context));
    } else if (verb === 'create' && before !== null && !OR_REPLACE.test(text)) {
      // It was there, so it said IF NOT EXISTS: nothing happened.
      read.set(this.#relationOf(first), before);
    } else if (verb === 'create') {
      const defaultCharset = await this.#charsetOf(first.database, point, signal);
      const creation = readCreateTable(text, database, sqlMode, { ...this.#context, defaultCharset });
      // Where the table may have been there, nothing may have happened.
      if (creation === null || creation.isConditional) return read;
      const made = creation.kind === 'table' ? creation.table : this.known(creation.name, point.key);
      read.set(this.#relationOf(first), made);
    }
    return read;
  }

  /** @returns null where there is no such table, undefined where the catalog may be later than the point. */
  async #prove(name: TableName, point: LogPoint, signal: AbortSignal): Promise<CatalogTable | null | undefined> {
    const { sql } = this.#options;
    const catalog = await readCatalogTable(sql, name.database, name.table, signal);
    const ahead = await this.#ahead.statementsAfter(point, signal);
    if (ahead === null || ahead.some((statement) => concerns(statement, name, this.#fold))) return undefined;
    return catalog;
  }

  async #charsetOf(database: string, point: LogPoint, signal: AbortSignal): Promise<string | null> {
    const charset = await readDatabaseCharset(this.#options.sql, database, signal);
    const ahead = await this.#ahead.statementsAfter(point, signal);
    const isSure = ahead?.every(
      (each) => each.kind !== 'database' || this.#fold(each.database) !== this.#fold(database),
    );
    return isSure === true ? charset : null;
  }

  #isDecided(name: TableName, point: string): boolean {
    return this.#newest(this.#relationOf(name), point)?.since === point;
  }

  #newest(relation: string, point: string): Definition | null {
    const stored = this.#options.schemas.versions(relation).findLast(({ since }) => since <= point);
    const unstored = this.#unstored.get(relation)?.findLast(({ since }) => since <= point);
    if (unstored !== undefined && (stored === undefined || unstored.since >= stored.since)) return unstored;
    return stored === undefined ? null : definitionOf(stored);
  }

  async #void(relation: string, point: LogPoint, signal: AbortSignal): Promise<void> {
    if (this.#newest(relation, point.key)?.since !== point.key) await this.#store(relation, point.key, null, signal);
  }

  async #store(relation: string, since: string, table: CatalogTable | null, signal: AbortSignal): Promise<void> {
    const { schemas } = this.#options;
    const newest = schemas.versions(relation).at(-1);
    if (newest === undefined || newest.since <= since) {
      await schemas.add(relation, { layout: LAYOUT, since, resolved: JSON.stringify(table) }, signal);
      return;
    }
    const list = this.#unstored.get(relation) ?? [];
    this.#unstored.set(
      relation,
      [...list, { since, table }].sort((one, other) => (one.since < other.since ? -1 : 1)),
    );
  }

  #distinct(tables: readonly TableName[]): TableName[] {
    return [...new Map(tables.map((name) => [this.#relationOf(name), name])).values()];
  }

  #relationOf({ database, table }: TableName): string {
    return `${this.#databaseRelation(database)}.${quoted(this.#fold(table))}`;
  }

  #databaseRelation(database: string): string {
    return `${RELATION}${quoted(this.#fold(database))}`;
  }

  readonly #folded = ({ database, table }: TableName): TableName => ({
    database: this.#fold(database),
    table: this.#fold(table),
  });

  readonly #fold = (name: string): string => (this.#folds ? name.toLowerCase() : name);
}

/** Attempts to read all tables before a DDL statement comes in between. */
const READ_ATTEMPTS = 5;

/** The end of the log, and what all captured tables are there. */
export interface DefinitionsAtHead {
  readonly head: LogHead;
  /** Nothing where the log has names, and nothing of a table that is altered each time. */
  readonly tables: ReadonlyMap<TableName, CatalogTable>;
}

export async function readDefinitions(
  { sql, server, captures }: Omit<TableDefinitionsOptions, 'schemas'>,
  signal: AbortSignal,
): Promise<DefinitionsAtHead> {
  if (hasNames(server)) return { head: await readHead(sql, server, signal), tables: new Map() };
  for (let attempt = 1; ; attempt++) {
    const head = await readHead(sql, server, signal);
    const tables = new Map<TableName, CatalogTable>();
    for (const name of (await readTableNames(sql, signal)).filter(captures)) {
      const table = await readCatalogTable(sql, name.database, name.table, signal);
      if (table !== null) tables.set(name, table);
    }
    const ahead = await new LogAhead(sql, server).statementsAfter(head, signal);
    const touched = [...tables.keys()].filter((name) => ahead?.some((each) => concerns(each, name, lowerCase)) ?? true);
    if (touched.length > 0 && attempt < READ_ATTEMPTS) continue;
    for (const name of touched) tables.delete(name);
    return { head, tables };
  }
}

function lowerCase(name: string): string {
  return name.toLowerCase();
}

/** Whether the server's table maps have the names of columns. */
function hasNames({ variables }: ServerFacts): boolean {
  return variables.get('binlog_row_metadata')?.toUpperCase() === 'FULL';
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function definitionOf({ since, resolved }: StoredVersion): Definition {
  return { since, table: JSON.parse(resolved) as CatalogTable | null };
}
