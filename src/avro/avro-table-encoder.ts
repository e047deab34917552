import type { ChangeBatch } from '../core/change-batch.ts';
import type { Operation, TableEncoder, TransactionOrder } from '../core/encoder.ts';
import type { RowCells } from '../core/table.ts';
import type { AvroWriter } from './avro-writer.ts';
import type { EnvelopePlan } from './envelope-plan.ts';
import { JsonWriter } from './json-writer.ts';

/** Encodes the rows of one table version. A record that fails leaves nothing behind in the output. */
export class AvroTableEncoder implements TableEncoder {
  readonly #out: AvroWriter;
  readonly #plan: EnvelopePlan;
  readonly #keyHeader: Uint8Array | null;
  readonly #valueHeader: Uint8Array;
  readonly #json = new JsonWriter();

  /** The headers are the wire format's first five bytes; the key's is null for a keyless table. */
  constructor(out: AvroWriter, plan: EnvelopePlan, keyHeader: Uint8Array | null, valueHeader: Uint8Array) {
    this.#out = out;
    this.#plan = plan;
    this.#keyHeader = keyHeader;
    this.#valueHeader = valueHeader;
  }

  writeKey(batch: ChangeBatch<unknown>, cells: RowCells): void {
    if (this.#keyHeader === null) return;
    const out = this.#out;
    const start = out.length;
    try {
      out.encoded(this.#keyHeader);
      this.#plan.writeKey(out, batch, cells);
    } catch (error) {
      out.truncate(start);
      throw error;
    }
  }

  writeValue(
    operation: Operation,
    batch: ChangeBatch<unknown>,
    index: number,
    before: RowCells | null,
    after: RowCells | null,
    transaction: TransactionOrder | null,
    processedAtUs: number,
  ): void {
    const out = this.#out;
    const start = out.length;
    try {
      out.encoded(this.#valueHeader);
      this.#plan.writeValue(out, operation, batch, index, before, after, transaction, processedAtUs);
    } catch (error) {
      out.truncate(start);
      throw error;
    }
  }

  keyAsJson(batch: ChangeBatch<unknown>, cells: RowCells): string {
    this.#json.take();
    this.#plan.writeKey(this.#json, batch, cells);
    return this.#json.take();
  }
}
