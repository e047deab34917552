import { type ChangeBatch, ChangeKind, type RowRead } from '../../src/core/change-batch.ts';
import type { ConnectSchema, ConnectStruct } from '../../src/core/connect-schema.ts';
import { writeOptionalLong, writeOptionalText } from '../../src/core/optional-values.ts';
import type { SchemaChange } from '../../src/core/schema-change.ts';
import type { SnapshotMarker } from '../../src/core/snapshot.ts';
import type { SourceBlock } from '../../src/core/source-block.ts';
import {
  COMMON_SOURCE_FIELDS,
  writeCommitMs,
  writeFineCommitTimes,
  writeReadFrom,
  writeSourceOrigin,
} from '../../src/core/source-fields.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { ConstantFragment, type ValueWriter } from '../../src/core/value-writer.ts';
import type { MySqlChangeBatch } from './my-change-batch.ts';
import type { Dialect } from './mysql-type.ts';
import { type MySqlReadBatch, NOWHERE, type ReadPlace } from './snapshot/read-batch.ts';
import type { TransactionContext } from './transaction-context.ts';

const STRING: ConnectSchema = { type: 'string' };
const INT64: ConnectSchema = { type: 'int64' };

/** `io.debezium.connector.mysql.Source` or `….mariadb.Source`. */
export function sourceSchema(dialect: Dialect): ConnectStruct {
  return {
    type: 'struct',
    name: `io.debezium.connector.${dialect}.Source`,
    version: 1,
    fields: [
      ...COMMON_SOURCE_FIELDS,
      { name: 'table', schema: STRING, optional: true },
      { name: 'server_id', schema: INT64, optional: false },
      { name: 'gtid', schema: STRING, optional: true },
      { name: 'file', schema: STRING, optional: false },
      { name: 'pos', schema: INT64, optional: false },
      { name: 'row', schema: { type: 'int32' }, optional: false },
      { name: 'thread', schema: INT64, optional: true },
      { name: 'query', schema: STRING, optional: true },
    ],
  };
}

/** What of a block is the same for all rows of a table version. */
interface TablePart {
  /** snapshot, db, sequence */
  readonly database: ConstantFragment;
  readonly table: ConstantFragment;
}

/** Writes Debezium's source block. What a stream, a table and a transaction have in common is encoded once each. */
export class MySqlSourceBlock implements SourceBlock {
  readonly schema: ConnectStruct;
  readonly #dialect: Dialect;
  readonly #topicPrefix: string;
  readonly #head = new ConstantFragment();
  /** server_id, gtid, file: of `#transaction`. */
  readonly #place = new ConstantFragment();
  readonly #tables = new WeakMap<TableVersion, TablePart>();
  #table: TableVersion | null = null;
  #transaction: TransactionContext | null = null;
  readonly #writeHead = (out: ValueWriter): void => writeSourceOrigin(out, this.#dialect, this.#topicPrefix);
  readonly #writeDatabase = (out: ValueWriter): void => writeDatabase(out, this.#table?.id.database ?? '');
  readonly #writeTable = (out: ValueWriter): void => writeTable(out, this.#table?.id.name ?? null);
  readonly #writePlace = (out: ValueWriter): void => writePlace(out, this.#transaction as TransactionContext);

  /** The whole block of rows that were read: of one view, one table and one marker. */
  readonly #read = new ConstantFragment();
  #readPlace: ReadPlace = NOWHERE;
  #readTable: TableVersion | null = null;
  #marker: SnapshotMarker = 'true';
  readonly #writeReadBlock = (out: ValueWriter): void => this.#readBlock(out, this.#readPlace);

  constructor(dialect: Dialect, topicPrefix: string) {
    this.schema = sourceSchema(dialect);
    this.#dialect = dialect;
    this.#topicPrefix = topicPrefix;
  }

  write(out: ValueWriter, batch: ChangeBatch<unknown>, index: number, table: TableVersion | null): void {
    if (batch.kinds[index] === ChangeKind.read) {
      this.#writeRead(out, batch as MySqlReadBatch, index, table);
      return;
    }
    const { transactions, eventPositions, rows, queries, details } = batch as MySqlChangeBatch;
    const transaction = transactions[index] as TransactionContext;
    const timeUs = transaction.commitTimeUs;
    if (transaction !== this.#transaction) this.#place.reset();
    this.#transaction = transaction;
    this.#table = table;
    const part = table === null ? null : this.#partOf(table);
    const change = part === null ? (details[index] as SchemaChange) : null;
    out.beginStruct();
    out.constant(this.#head, this.#writeHead);
    writeCommitMs(out, timeUs);
    if (part !== null) out.constant(part.database, this.#writeDatabase);
    else writeDatabase(out, change?.databaseName ?? '');
    writeFineCommitTimes(out, timeUs);
    if (part !== null) out.constant(part.table, this.#writeTable);
    else writeTable(out, change?.tableName ?? null);
    out.constant(this.#place, this.#writePlace);
    out.field('pos');
    out.safeLong(eventPositions[index] as number);
    out.field('row');
    out.int(rows[index] as number);
    out.field('thread');
    writeOptionalLong(out, transaction.thread);
    out.field('query');
    writeOptionalText(out, queries[index] ?? null);
    out.endStruct();
  }

  /** Of a row that was read from its table: no transaction is known, and the place is that of the view. */
  #writeRead(out: ValueWriter, { place, details }: MySqlReadBatch, index: number, table: TableVersion | null): void {
    const marker = (details[index] as RowRead | null)?.marker ?? 'true';
    if (place !== this.#readPlace || table !== this.#readTable || marker !== this.#marker) this.#read.reset();
    this.#readPlace = place;
    this.#readTable = table;
    this.#marker = marker;
    out.constant(this.#read, this.#writeReadBlock);
  }

  #readBlock(out: ValueWriter, { file, position, timeUs }: ReadPlace): void {
    out.beginStruct();
    this.#writeHead(out);
    writeCommitMs(out, timeUs);
    writeReadFrom(out, this.#marker, this.#readTable?.id.database ?? '');
    out.field('sequence');
    out.absent(0);
    writeFineCommitTimes(out, timeUs);
    writeTable(out, this.#readTable?.id.name ?? null);
    out.field('server_id');
    out.safeLong(0);
    out.field('gtid');
    out.absent(0);
    out.field('file');
    out.text(file);
    out.field('pos');
    out.safeLong(position);
    out.field('row');
    out.int(0);
    out.field('thread');
    out.absent(0);
    out.field('query');
    out.absent(0);
    out.endStruct();
  }

  #partOf(table: TableVersion): TablePart {
    let part = this.#tables.get(table);
    if (part === undefined) {
      part = { database: new ConstantFragment(), table: new ConstantFragment() };
      this.#tables.set(table, part);
    }
    return part;
  }
}

function writeDatabase(out: ValueWriter, database: string): void {
  writeReadFrom(out, 'false', database);
  out.field('sequence');
  out.absent(0);
}

function writeTable(out: ValueWriter, table: string | null): void {
  out.field('table');
  writeOptionalText(out, table);
}

function writePlace(out: ValueWriter, transaction: TransactionContext): void {
  out.field('server_id');
  out.safeLong(transaction.serverId);
  out.field('gtid');
  writeOptionalText(out, transaction.gtid?.text ?? null);
  out.field('file');
  out.text(transaction.file);
}
