import { FatalError, ResyncRequiredError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { SchemaChange, TableChange } from '../../src/core/schema-change.ts';
import type { SchemaStore, StoredVersion } from '../../src/core/schema-store.ts';
import { capturesTable, type SourceSettings } from '../../src/core/settings.ts';
import { shortHash } from '../../src/core/short-hash.ts';
import { isNewVersion, versionAt } from '../../src/core/stored-versions.ts';
import { buildTableVersion } from './build-table-version.ts';
import { readCatalogTable } from './catalog.ts';
import type { TypeContext } from './column-type.ts';
import type { SqlConnection } from './connection.ts';
import type { MappedTable } from './mapped-table.ts';
import type { TypeModes } from './mysql-type.ts';
import { HEADER_BYTES } from './protocol/binlog-event.ts';
import type { QueryEvent } from './protocol/query-event.ts';
import { type RowLayout, rowLayoutOf } from './protocol/row-layout.ts';
import { parseTableMap } from './protocol/table-map-event.ts';
import type { DdlStatement, TableName, TableStatement } from './statement.ts';
import { statementText } from './statement-text.ts';
import type { LoggedStatement, LogPoint, TableDefinitions } from './table-definitions.ts';
import { describeTable } from './table-description.ts';
import { resolveFacts, type TableFacts } from './table-facts.ts';
import type { MySqlTableVersion } from './table-version.ts';

/** Bytes of the table id in front of what describes the table. */
const TABLE_ID_BYTES = 6;
const NO_ROWS: RowLayout = { columnCount: 0, widths: new Int32Array(0) };

export interface TableCacheOptions {
  readonly source: SourceSettings;
  readonly modes: TypeModes;
  readonly types: TypeContext;
  readonly sql: SqlConnection;
  readonly schemas: SchemaStore;
  readonly logger: Logger;
  /** Whether DDL is told. */
  readonly describes: boolean;
  /** End of the server's log when the stream started, as a point: below it the catalog is later than the log. */
  readonly head: string;
  /** For tables whose maps have no names. */
  readonly definitions: TableDefinitions;
}

/** What a DDL statement came to. */
export interface StatementOutcome {
  readonly changes: readonly SchemaChange[];
  readonly truncated: readonly MySqlTableVersion[];
}

/** A table that is announced under an id, and the bytes that did. */
interface Announced extends MappedTable {
  readonly body: Buffer;
}

/**
 * Decides which version of a table a change belongs to. Below `head` a stored version of the same layout is used again, so
 * that a replay after later DDL gives the same records; without one, and from `head` on, the catalog is asked, and what it
 * says is stored where it is new.
 */
export class TableCache {
  readonly #options: TableCacheOptions;
  readonly #byId = new Map<number, Announced>();
  /** Kept over announcements: the same version stays the same object. */
  readonly #versions = new Map<string, MySqlTableVersion>();

  constructor(options: TableCacheOptions) {
    this.#options = options;
  }

  /** Takes a table map. Costs a comparison where the same table was announced with the same bytes. */
  announce(bytes: Buffer, start: number, end: number): void {
    const id = bytes.readUIntLE(start + HEADER_BYTES, TABLE_ID_BYTES);
    const bodyStart = start + HEADER_BYTES + TABLE_ID_BYTES;
    const known = this.#byId.get(id);
    if (known !== undefined && known.body.compare(bytes, bodyStart, end) === 0) return;
    const map = parseTableMap(bytes, start, end, this.#options.types.dialect);
    const name = `${map.database}.${map.table}`;
    const body = Buffer.from(bytes.subarray(bodyStart, end));
    this.#byId.set(id, {
      map,
      rows: rowLayoutOf(map),
      name,
      layout: shortHash(body),
      captured: capturesTable(this.#options.source, name),
      version: null,
      body,
    });
  }

  statementText(bytes: Buffer, query: QueryEvent): string {
    return statementText(bytes, query, this.#options.types.charsets);
  }

  get(tableId: number): MappedTable | undefined {
    return this.#byId.get(tableId);
  }

  /** Table ids mean nothing beyond the run of the server that gave them. */
  forget(): void {
    this.#byId.clear();
  }

  /** Gives the table its version at this point of the log. Resolves when the version is stored. */
  async resolve(table: MappedTable, point: LogPoint, signal: AbortSignal): Promise<void> {
    const { schemas, head } = this.#options;
    const { key } = point;
    const hasNames = table.map.optional.names !== null;
    const stored = schemas.versions(table.name);
    const reusable = hasNames && key < head ? versionAt(stored, table.layout, key) : null;
    const facts = reusable === null ? await this.#readFacts(table, point, hasNames, signal) : factsOf(reusable);
    if (reusable === null) {
      const version: StoredVersion = { layout: table.layout, since: key, resolved: JSON.stringify(facts) };
      if (isNewVersion(version, stored)) await schemas.add(table.name, version, signal);
    }
    table.version = this.#versionOf(table, facts);
  }

  /**
   * Takes a DDL statement: tables that it is about are looked at anew, and what it left of them is described.
   */
  async onStatement(
    statement: DdlStatement,
    logged: LoggedStatement,
    point: LogPoint,
    signal: AbortSignal,
  ): Promise<StatementOutcome> {
    const { logger } = this.#options;
    const nothing: StatementOutcome = { changes: [], truncated: [] };
    const { text: ddl } = logged;
    await this.#options.definitions.onStatement(statement, logged, point, signal);
    if (statement.kind === 'database') {
      const { database, verb } = statement;
      if (verb === 'alter' || !this.#capturesDatabase(database)) return nothing;
      return { changes: [{ databaseName: database, tableName: null, ddl, changes: [] }], truncated: [] };
    }
    if (statement.temporary) return nothing;
    this.#expire(statement.tables);
    const tables = (statement.tables ?? []).filter(({ database, table }) => this.#captures(database, table));
    if (statement.movesUnloggedRows && tables.length > 0) {
      logger.warn(
        { table: tables.map(({ database, table }) => `${database}.${table}`).join(', '), point },
        'a statement removed, emptied or exchanged partitions or tablespaces: the binlog does not say which rows came or went',
      );
    }
    if (statement.verb === 'truncate') return { changes: [], truncated: this.#known(tables) };
    const [first] = tables;
    if (first === undefined || !this.#options.describes) return nothing;
    const { database } = first;
    if (statement.verb === 'index') {
      return { changes: [{ databaseName: database, tableName: '', ddl, changes: [] }], truncated: [] };
    }
    if (statement.verb === 'drop') return { changes: tables.map(dropOf), truncated: [] };
    const left = statement.verb === 'rename' ? tables.filter((_, index) => index % 2 === 1) : tables.slice(-1);
    const changes: TableChange[] = [];
    for (const name of left) changes.push(await this.#describe(statement, name, point, signal));
    const tableName = left.at(-1)?.table ?? first.table;
    return { changes: [{ databaseName: database, tableName, ddl, changes }], truncated: [] };
  }

  /** @throws FatalError: what a statement changes is not in the log when it is logged instead of its rows. */
  checkDml(place: string): void {
    throw new FatalError(`A statement at ${place} was logged instead of the rows that it changed.`, {
      code: 'MYSQL_STATEMENT_FORMAT',
      remedy:
        'Set binlog_format = ROW on the server and in every session; run `tailrace resync` to take a new snapshot.',
      position: place,
    });
  }

  #captures(database: string, table: string): boolean {
    return capturesTable(this.#options.source, `${database}.${table}`);
  }

  /** Whether some table of it may be captured: patterns cannot be asked, so known tables and a stand-in are. */
  #capturesDatabase(database: string): boolean {
    return (
      this.#captures(database, 'any') ||
      [...this.#byId.values()].some(({ map, captured }) => captured && map.database === database)
    );
  }

  #expire(tables: readonly TableName[] | null): void {
    for (const announced of this.#byId.values()) {
      const { map } = announced;
      // Some servers mind the case of names, some do not; looking once more costs little.
      const isNamed = tables?.some((name) => isSame(name.database, map.database) && isSame(name.table, map.table));
      if (isNamed ?? true) announced.version = null;
    }
  }

  /** Versions for a record without a row: of this run, or the newest of an earlier one. */
  #known(tables: readonly TableName[]): MySqlTableVersion[] {
    const { schemas, modes, logger } = this.#options;
    return tables.flatMap(({ database, table }) => {
      const name = `${database}.${table}`;
      const version = this.#versions.get(name);
      if (version !== undefined) return version;
      const stored = schemas.versions(name).at(-1);
      if (stored !== undefined) return buildTableVersion(database, table, NO_ROWS, factsOf(stored), modes);
      logger.warn(
        { table: name },
        'a table was truncated of which no row was ever published: there is nothing to tell',
      );
      return [];
    });
  }

  async #describe(
    statement: TableStatement,
    name: TableName,
    point: LogPoint,
    signal: AbortSignal,
  ): Promise<TableChange> {
    const { sql, types, modes, definitions } = this.#options;
    const known = definitions.known(name, point.key);
    const catalog = known ?? (await readCatalogTable(sql, name.database, name.table, signal));
    return {
      type: statement.verb === 'create' ? 'CREATE' : 'ALTER',
      id: idOf(name),
      table: catalog === null ? null : describeTable(catalog, types.dialect, modes.comments),
    };
  }

  /** With names in the log the catalog only adds to it; without, what the table was there has to be known. */
  async #readFacts(table: MappedTable, point: LogPoint, hasNames: boolean, signal: AbortSignal): Promise<TableFacts> {
    const { sql, types, definitions } = this.#options;
    const { map } = table;
    if (hasNames) {
      const facts = resolveFacts(types, map, await readCatalogTable(sql, map.database, map.table, signal));
      if (facts !== null) return facts;
    }
    const known = definitions.known(map, point.key);
    const facts = known === null ? null : resolveFacts(types, map, known);
    if (facts !== null) return facts;
    const proven = await definitions.prove(map, point, signal);
    const provenFacts = proven === null ? null : resolveFacts(types, map, proven);
    if (provenFacts !== null) return provenFacts;
    throw unknownTable(table, point);
  }

  #versionOf(table: MappedTable, facts: TableFacts): MySqlTableVersion {
    const { database, table: name } = table.map;
    const version = buildTableVersion(database, name, table.rows, facts, this.#options.modes);
    const previous = this.#versions.get(table.name);
    if (previous?.fingerprint === version.fingerprint) return previous;
    this.#versions.set(table.name, version);
    return version;
  }
}

function isSame(one: string, other: string): boolean {
  return one === other || one.toLowerCase() === other.toLowerCase();
}

function unknownTable(table: MappedTable, { file, position }: LogPoint): ResyncRequiredError {
  const place = `${file}:${position}`;
  return new ResyncRequiredError(
    `The columns of ${table.name} at ${place} are not known: the log has no names, and the table may have changed since.`,
    {
      code: 'MYSQL_TABLE_UNKNOWN',
      remedy: 'Set binlog_row_metadata = FULL on the server; run `tailrace resync` to take a new snapshot.',
      table: table.name,
      position: place,
    },
  );
}

function idOf({ database, table }: TableName): string {
  return `"${database}"."${table}"`;
}

/** As Debezium tells a DROP: a statement for each table. */
function dropOf(name: TableName): SchemaChange {
  return {
    databaseName: name.database,
    tableName: name.table,
    ddl: `DROP TABLE \`${name.database}\`.\`${name.table}\``,
    changes: [{ type: 'DROP', id: idOf(name), table: null }],
  };
}

function factsOf(version: StoredVersion): TableFacts {
  return JSON.parse(version.resolved) as TableFacts;
}
