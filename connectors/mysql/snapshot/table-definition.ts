import { ConfigurationError, TransientError } from '../../../src/core/errors.ts';
import type { SnapshotTable } from '../../../src/core/snapshot.ts';
import { keyIndexes, qualifiedName } from '../../../src/core/table.ts';
import { buildColumns, fingerprintOf } from '../build-table-version.ts';
import { readCatalogTable } from '../catalog.ts';
import type { CatalogTable } from '../catalog-column.ts';
import type { SqlConnection } from '../connection.ts';
import type { MySqlType, TypeModes } from '../mysql-type.ts';
import { binaryWidths } from '../protocol/binary-row.ts';
import { TypeCode } from '../protocol/type-code.ts';
import { quotedTable } from '../quoted-name.ts';
import type { TableFacts } from '../table-facts.ts';
import { type CatalogTypeContext, type ColumnStorage, catalogType } from './catalog-type.ts';
import { keyFormOf } from './key-form.ts';
import { readCodec } from './read-codec.ts';
import type { ReadKey, ReadKeyColumn, ReadTable } from './read-table.ts';
import { ReadTableVersion } from './read-table-version.ts';

const STORAGE = `
  SELECT COLUMN_NAME AS name, COLUMN_TYPE AS column_type, CHARACTER_OCTET_LENGTH AS bytes
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`;

/** The next number of a table without rows is part of what SHOW CREATE TABLE prints. */
const NEXT_NUMBER = / AUTO_INCREMENT=\d+/;

interface Known {
  readonly statement: string;
  readonly keyText: string;
  readonly table: ReadTable;
}

/** What tables are at the moment: read anew where the statement that would make the table is another than the last time. */
export class TableDefinitionReader {
  readonly #sql: SqlConnection;
  readonly #context: CatalogTypeContext;
  readonly #modes: TypeModes;
  readonly #known = new Map<string, Known>();

  constructor(sql: SqlConnection, context: CatalogTypeContext, modes: TypeModes) {
    this.#sql = sql;
    this.#context = context;
    this.#modes = modes;
  }

  /**
   * The caller keeps the table from being altered meanwhile. The same object for the same layout.
   * @throws TransientError where there is no such table, or none with this key, any more.
   */
  async read(table: SnapshotTable, signal: AbortSignal): Promise<ReadTable> {
    const name = qualifiedName(table.id);
    const doing = `reading the columns of ${name}`;
    const [shown] = await this.#sql.query(doing, `SHOW CREATE TABLE ${quotedTable(table.id)}`, [], signal);
    const statement = String(shown?.['Create Table'] ?? '').replace(NEXT_NUMBER, '');
    const keyText = JSON.stringify(table.key);
    const known = this.#known.get(name);
    if (known?.statement === statement && known.keyText === keyText) return known.table;
    const { database, name: tableName } = table.id;
    const catalog = await readCatalogTable(this.#sql, database, tableName, signal);
    if (catalog === null) throw changed(name);
    if (isSystemVersioned(statement)) throw versioned(name);
    const rows = await this.#sql.query<StorageRow>(doing, STORAGE, [database, tableName], signal);
    const read = this.#build(table, catalog, new Map(rows.map((row) => [row.name, storageOf(row)])));
    const same = known?.table.version.fingerprint === read.version.fingerprint && known.keyText === keyText;
    const current = same ? known.table : read;
    this.#known.set(name, { statement, keyText, table: current });
    return current;
  }

  #build({ id, key }: SnapshotTable, catalog: CatalogTable, storage: ReadonlyMap<string, ColumnStorage>): ReadTable {
    const facts = factsOf(this.#context, catalog, storage);
    const columns = buildColumns(facts, this.#modes, readCodec);
    const version = new ReadTableVersion({
      id,
      fingerprint: fingerprintOf(id.database, id.name, facts),
      columns,
      key: keyIndexes(columns, facts.key),
      types: facts.columns.map(({ type }) => type),
      widths: binaryWidths(Uint8Array.from(facts.columns, ({ type }) => resultCode(type))),
    });
    return {
      version,
      columnNames: columns.map(({ name }) => name),
      key: key === null ? null : readKeyOf(id.name, key, catalog, facts),
      firstKeyType: facts.columns.find(({ name }) => name === key?.[0])?.type.code ?? null,
    };
  }
}

interface StorageRow extends Record<string, unknown> {
  readonly name: string;
  readonly column_type: string;
  readonly bytes: number | string | null;
}

function storageOf({ column_type, bytes }: StorageRow): ColumnStorage {
  return {
    bytes: bytes === null ? null : Number(bytes),
    isCompressed: /\bCOMPRESSED\b/.test(column_type.replaceAll(/'[^']*'/g, '')),
    isOldTime: /\/\* (5\.5 binary format|mariadb-5\.3) \*\//.test(column_type),
  };
}

/** MariaDB's: the log has more columns of it than the catalog, and another key. */
function isSystemVersioned(statement: string): boolean {
  return /\bWITH SYSTEM VERSIONING\b/.test(statement.replaceAll(/'(?:[^']|'')*'|`(?:[^`]|``)*`/g, ''));
}

function versioned(table: string): ConfigurationError {
  return new ConfigurationError(
    `${table} keeps the history of its rows (WITH SYSTEM VERSIONING) and cannot be read yet.`,
    {
      code: 'MYSQL_SNAPSHOT_SYSTEM_VERSIONED',
      remedy: 'Leave the table out of the snapshot, or out of the source with tables.exclude.',
      table,
    },
  );
}

/** What the stream resolves of the same table. */
export function factsOf(
  context: CatalogTypeContext,
  catalog: CatalogTable,
  storage: ReadonlyMap<string, ColumnStorage>,
): TableFacts {
  const unknown: ColumnStorage = { bytes: null, isCompressed: false, isOldTime: false };
  return {
    columns: catalog.columns.map((column) => ({
      name: column.name,
      type: catalogType(context, column, storage.get(column.name) ?? unknown),
      nullable: column.nullable,
      default: column.default,
      extra: column.extra,
      comment: column.comment,
    })),
    key: catalog.key,
  };
}

/** Only what has a width of its own in a result matters here; the rest comes behind its length. */
function resultCode({ code }: MySqlType): number {
  return code === TypeCode.decimal ? TypeCode.newDecimal : code;
}

function readKeyOf(table: string, key: readonly string[], catalog: CatalogTable, facts: TableFacts): ReadKey {
  const index = catalog.uniques.find(
    ({ parts }) =>
      parts.length === key.length && parts.every(({ column, isWhole }, at) => isWhole && column === key[at]),
  );
  if (index === undefined) throw changed(table);
  const columns = key.map((name): ReadKeyColumn => {
    const place = facts.columns.findIndex((column) => column.name === name);
    const type = facts.columns[place]?.type;
    const form = type === undefined ? null : keyFormOf(type);
    if (form === null) throw changed(table);
    return { name, place, form };
  });
  return { columns, index: index.name };
}

export function changed(table: string): TransientError {
  return new TransientError(`${table} was altered or dropped while it was to be read.`, {
    code: 'MYSQL_TABLE_CHANGED',
    remedy: 'It is looked up again; nothing has to be done.',
    table,
  });
}
