import { type ChangeBatch, ChangeKind } from '../../src/core/change-batch.ts';
import type { ConnectSchema, ConnectStruct } from '../../src/core/connect-schema.ts';
import { writeOptionalLong, writeOptionalText } from '../../src/core/optional-values.ts';
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
import type { PgChangeBatch } from './pg-change-batch.ts';
import { SequenceText } from './sequence-text.ts';
import type { RowBatch } from './snapshot/row-batch.ts';
import { RowSource } from './snapshot/row-source.ts';
import type { TransactionContext } from './transaction-context.ts';

export const CONNECTOR_NAME = 'postgresql';

const STRING: ConnectSchema = { type: 'string' };
const INT64: ConnectSchema = { type: 'int64' };

export const SOURCE_SCHEMA: ConnectStruct = {
  type: 'struct',
  name: 'io.debezium.connector.postgresql.Source',
  version: 1,
  fields: [
    ...COMMON_SOURCE_FIELDS,
    { name: 'schema', schema: STRING, optional: false },
    { name: 'table', schema: STRING, optional: false },
    { name: 'txId', schema: INT64, optional: true },
    { name: 'lsn', schema: INT64, optional: true },
    { name: 'xmin', schema: INT64, optional: true },
    { name: 'origin', schema: STRING, optional: true },
    { name: 'origin_lsn', schema: INT64, optional: true },
  ],
};

/** ts_us … txId: the same for all rows of one table in one transaction. */
interface TablePart {
  readonly fragment: ConstantFragment;
  transaction: TransactionContext | null;
}

/**
 * Writes Debezium's source block. What a transaction, and a table within it, have in common is encoded once: a row costs
 * three copies, its sequence and its LSN.
 */
export class PgSourceBlock implements SourceBlock {
  readonly schema = SOURCE_SCHEMA;
  readonly #topicPrefix: string;
  readonly #database: string;
  /** Of rows that were read. */
  readonly #rows: RowSource;
  readonly #tables = new WeakMap<TableVersion, TablePart>();
  readonly #noTable: TablePart = { fragment: new ConstantFragment(), transaction: null };
  #partTable: TableVersion | null = null;
  #part: TablePart = this.#noTable;
  readonly #sequence = new SequenceText();
  /** version … db: of `#transaction`. */
  readonly #start = new ConstantFragment();
  /** xmin, origin, origin_lsn: of `#transaction`. */
  readonly #end = new ConstantFragment();
  #transaction: TransactionContext | null = null;
  #table: TableVersion | null = null;
  readonly #writeHead = (out: ValueWriter): void => this.#head(out, this.#current());
  readonly #writeMiddle = (out: ValueWriter): void => this.#middle(out, this.#current());
  readonly #writeTail = (out: ValueWriter): void => this.#tail(out, this.#current());

  constructor(topicPrefix: string, database: string) {
    this.#topicPrefix = topicPrefix;
    this.#database = database;
    this.#rows = new RowSource(CONNECTOR_NAME, topicPrefix, database);
  }

  write(out: ValueWriter, batch: ChangeBatch<unknown>, index: number, table: TableVersion | null): void {
    if (batch.kinds[index] === ChangeKind.read) {
      this.#rows.write(out, batch as RowBatch, index, table as TableVersion);
      return;
    }
    const { transactions, lsnHigh, lsnLow } = batch as PgChangeBatch;
    const transaction = transactions[index] as TransactionContext;
    if (transaction !== this.#transaction) {
      this.#start.reset();
      this.#end.reset();
    }
    this.#transaction = transaction;
    this.#table = table;
    const high = lsnHigh[index] as number;
    const low = lsnLow[index] as number;
    out.beginStruct();
    out.constant(this.#start, this.#writeHead);
    out.field('sequence');
    out.present(0);
    out.utf8(this.#sequence.bytes, 0, this.#sequence.write(transaction, high, low));
    out.constant(this.#partOf(table, transaction).fragment, this.#writeMiddle);
    out.field('lsn');
    out.present(0);
    out.long(high, low);
    out.constant(this.#end, this.#writeTail);
    out.endStruct();
  }

  #current(): TransactionContext {
    return this.#transaction as TransactionContext;
  }

  /** That of the row before, mostly. */
  #partOf(table: TableVersion | null, transaction: TransactionContext): TablePart {
    if (table !== this.#partTable) {
      this.#partTable = table;
      this.#part = this.#findPart(table);
    }
    const part = this.#part;
    if (part.transaction !== transaction) {
      part.fragment.reset();
      part.transaction = transaction;
    }
    return part;
  }

  #findPart(table: TableVersion | null): TablePart {
    if (table === null) return this.#noTable;
    let part = this.#tables.get(table);
    if (part === undefined) {
      part = { fragment: new ConstantFragment(), transaction: null };
      this.#tables.set(table, part);
    }
    return part;
  }

  #head(out: ValueWriter, transaction: TransactionContext): void {
    writeSourceOrigin(out, CONNECTOR_NAME, this.#topicPrefix);
    writeCommitMs(out, transaction.commitTimeUs);
    writeReadFrom(out, 'false', this.#database);
  }

  #middle(out: ValueWriter, transaction: TransactionContext): void {
    writeFineCommitTimes(out, transaction.commitTimeUs);
    out.field('schema');
    out.text(this.#table?.id.schema ?? '');
    out.field('table');
    out.text(this.#table?.id.name ?? '');
    out.field('txId');
    writeOptionalLong(out, transaction.xid);
  }

  #tail(out: ValueWriter, transaction: TransactionContext): void {
    out.field('xmin');
    out.absent(0);
    out.field('origin');
    writeOptionalText(out, transaction.origin);
    out.field('origin_lsn');
    if (transaction.originLsn === null) {
      out.absent(0);
    } else {
      out.present(0);
      out.long(transaction.originLsn.high, transaction.originLsn.low);
    }
  }
}
