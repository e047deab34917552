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

/** Writes Debezium's source block. What the rows of a transaction in one table have in common is encoded once for them. */
export class MySqlSourceBlock implements SourceBlock {
  readonly schema: ConnectStruct;
  readonly #dialect: Dialect;
  readonly #topicPrefix: string;
  readonly #origin = new ConstantFragment();
  /** version … file: of rows of `#table` in `#transaction`. */
  readonly #start = new ConstantFragment();
  #table: TableVersion | null = null;
  #transaction: TransactionContext | null = null;
  readonly #writeOrigin = (out: ValueWriter): void => writeSourceOrigin(out, this.#dialect, this.#topicPrefix);
  readonly #writeStart = (out: ValueWriter): void => {
    const { database, name } = (this.#table as TableVersion).id;
    this.#startBlock(out, this.#transaction as TransactionContext, database, name);
  };

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
    out.beginStruct();
    if (table === null) {
      const { databaseName, tableName } = details[index] as SchemaChange;
      this.#startBlock(out, transaction, databaseName, tableName);
    } else if (table === this.#table && transaction === this.#transaction) {
      out.constant(this.#start, this.#writeStart);
    } else {
      // Only from the second row on is it worth keeping.
      this.#start.reset();
      this.#table = table;
      this.#transaction = transaction;
      this.#writeStart(out);
    }
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

  /** version, connector, name, ts_ms, snapshot, db, sequence, ts_us, ts_ns, table, server_id, gtid, file */
  #startBlock(out: ValueWriter, transaction: TransactionContext, database: string, table: string | null): void {
    const { commitTimeUs, serverId, gtid, file } = transaction;
    out.constant(this.#origin, this.#writeOrigin);
    writeCommitMs(out, commitTimeUs);
    writeReadFrom(out, 'false', database);
    out.field('sequence');
    out.absent(0);
    writeFineCommitTimes(out, commitTimeUs);
    writeTable(out, table);
    out.field('server_id');
    out.safeLong(serverId);
    out.field('gtid');
    writeOptionalText(out, gtid?.text ?? null);
    out.field('file');
    out.text(file);
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
    this.#writeOrigin(out);
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
}

function writeTable(out: ValueWriter, table: string | null): void {
  out.field('table');
  writeOptionalText(out, table);
}
