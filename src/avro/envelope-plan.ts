import type { ChangeBatch } from '../core/change-batch.ts';
import type { Operation, TableShape, TransactionOrder } from '../core/encoder.ts';
import type { NameAdjustment } from '../core/settings.ts';
import type { SourceBlock } from '../core/source-block.ts';
import { qualifiedName, type RowCells } from '../core/table.ts';
import { ConstantFragment, type ValueWriter } from '../core/value-writer.ts';
import { type EnvelopeSchemas, envelopeSchemas } from './envelope-schema.ts';
import type { RecordWriter } from './record-writer.ts';
import { RowPlan } from './row-plan.ts';

const TWO_TO_32 = 0x1_0000_0000;

/**
 * How the records of one table version are written, by any writer: Avro for topics, JSON for headers, dead letters and a
 * terminal. Compiled once; nothing of the configuration is looked at while rows are written.
 */
export class EnvelopePlan {
  readonly schemas: EnvelopeSchemas;
  readonly #shape: TableShape;
  readonly #source: SourceBlock;
  readonly #key: RowPlan | null;
  readonly #row: RowPlan;
  /** The changes of one batch are processed at one time, so its three fields are encoded once for all of them. */
  readonly #processedAt = new ConstantFragment();
  readonly #writeProcessedAt = (out: ValueWriter): void => writeProcessedAt(out, this.#processedAtUs);
  #processedAtUs = 0;

  /** @throws ConfigurationError where a column's name cannot be a field name. */
  constructor(
    shape: TableShape,
    source: SourceBlock,
    adjustment: { readonly schemaNames: NameAdjustment; readonly fieldNames: NameAdjustment },
  ) {
    const table = qualifiedName(shape.version.id);
    this.schemas = envelopeSchemas(shape, source.schema, adjustment);
    this.#shape = shape;
    this.#source = source;
    this.#key = shape.key === null ? null : new RowPlan(table, shape.key, this.schemas.keyFields);
    this.#row = new RowPlan(table, shape.value, this.schemas.rowFields);
  }

  /** Writes nothing for a keyless table. */
  writeKey(out: RecordWriter, batch: ChangeBatch<unknown>, cells: RowCells): void {
    this.#key?.write(out, batch, cells, 'key');
  }

  writeValue(
    out: RecordWriter,
    operation: Operation,
    batch: ChangeBatch<unknown>,
    index: number,
    before: RowCells | null,
    after: RowCells | null,
    transaction: TransactionOrder | null,
    processedAtUs: number,
  ): void {
    out.beginStruct();
    out.field('before');
    if (before === null) out.absent(0);
    else {
      out.present(0);
      this.#row.write(out, batch, before, 'before');
    }
    out.field('after');
    if (after === null) out.absent(0);
    else {
      out.present(0);
      this.#row.write(out, batch, after, 'after');
    }
    out.field('source');
    this.#source.write(out, batch, index, this.#shape.version);
    writeTransactionOrder(out, transaction);
    out.field('op');
    out.text(operation);
    if (processedAtUs !== this.#processedAtUs) {
      this.#processedAtUs = processedAtUs;
      this.#processedAt.reset();
    }
    out.constant(this.#processedAt, this.#writeProcessedAt);
    out.endStruct();
  }
}

/** The `transaction` field of envelopes and logical messages. */
export function writeTransactionOrder(out: RecordWriter, transaction: TransactionOrder | null): void {
  out.field('transaction');
  if (transaction === null) {
    out.absent(0);
    return;
  }
  out.present(0);
  out.beginStruct();
  out.field('id');
  out.text(transaction.id);
  out.field('total_order');
  out.safeLong(transaction.totalOrder);
  out.field('data_collection_order');
  out.safeLong(transaction.dataCollectionOrder);
  out.endStruct();
}

function writeProcessedAt(out: ValueWriter, processedAtUs: number): void {
  out.field('ts_ms');
  out.present(0);
  out.safeLong(Math.floor(processedAtUs / 1000));
  out.field('ts_us');
  out.present(0);
  out.safeLong(processedAtUs);
  out.field('ts_ns');
  out.present(0);
  // Nanoseconds since 1970 are beyond 2^53: multiply the halves.
  const low = (processedAtUs >>> 0) * 1000;
  out.long((Math.floor(processedAtUs / TWO_TO_32) * 1000 + Math.floor(low / TWO_TO_32)) | 0, low >>> 0);
}
