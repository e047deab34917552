import type { ChangeBatch } from '../core/change-batch.ts';
import type { Operation, RecordEncoder, TransactionOrder } from '../core/encoder.ts';
import { PoisonChangeError } from '../core/errors.ts';
import type { OutgoingRecord, RecordHeader } from '../core/sink.ts';
import { CELL_ABSENT, CELL_UNAVAILABLE, RowCells } from '../core/table.ts';
import type { Ticket } from '../core/ticket.ts';
import { newKeyHeader, oldKeyHeader, unavailableColumnsHeader } from './record-headers.ts';
import type { TablePlan } from './table-plan.ts';

type Transactions = { next(dataCollection: string): TransactionOrder } | null;

/**
 * Turns one row change into records: the envelope, and for a delete or a key change what Debezium puts around it. All
 * records of a change are encoded before the first is appended, so a change that cannot be published leaves nothing behind.
 */
export class RowPublisher {
  readonly #encoder: RecordEncoder;
  readonly #headers: readonly RecordHeader[];
  readonly #tombstones: boolean;
  readonly #before = new RowCells();
  readonly #after = new RowCells();
  readonly #record: OutgoingRecord;
  processedAtUs = 0;

  constructor(encoder: RecordEncoder, headers: readonly RecordHeader[], tombstones: boolean) {
    this.#encoder = encoder;
    this.#headers = headers;
    this.#tombstones = tombstones;
    this.#record = {
      bytes: encoder.output.bytes,
      keyStart: -1,
      keyEnd: -1,
      valueStart: -1,
      valueEnd: -1,
      headers,
      timestampMs: 0,
      partition: -1,
    };
  }

  insert(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, orders: Transactions, ticket: Ticket): void {
    this.#encoder.output.reset();
    const after = this.#locate(batch, index, plan, 'after');
    requireKey(plan, after);
    const keyEnd = this.#key(batch, plan, after);
    const valueEnd = this.#value('c', batch, index, plan, null, after, orders);
    this.#append(plan, keyEnd === 0 ? -1 : 0, keyEnd, keyEnd, valueEnd, this.#headers, ticket);
    plan.counts.c.add(1);
  }

  /** A row of a snapshot; the batch's detail tells the marker. */
  read(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, ticket: Ticket): void {
    this.#encoder.output.reset();
    const after = this.#locate(batch, index, plan, 'after');
    requireKey(plan, after);
    const keyEnd = this.#key(batch, plan, after);
    const valueEnd = this.#value('r', batch, index, plan, null, after, null);
    this.#append(plan, keyEnd === 0 ? -1 : 0, keyEnd, keyEnd, valueEnd, this.#headers, ticket);
    plan.counts.r.add(1);
  }

  update(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, orders: Transactions, ticket: Ticket): void {
    this.#encoder.output.reset();
    const after = this.#locate(batch, index, plan, 'after');
    const before = batch.hasBefore[index] === 1 ? this.#locate(batch, index, plan, 'before') : null;
    if (before !== null) takeUnavailableKeyFromBefore(plan, before, after);
    requireKey(plan, after);
    const keyEnd = this.#key(batch, plan, after);
    if (before !== null && keyEnd > 0 && hasWholeKey(plan, before)) {
      const oldKeyEnd = this.#key(batch, plan, before);
      const { bytes } = this.#encoder.output;
      if (bytes.compare(bytes, keyEnd, oldKeyEnd, 0, keyEnd) !== 0) {
        this.#moveKey(batch, index, plan, before, after, keyEnd, oldKeyEnd, orders, ticket);
        return;
      }
    }
    const valueStart = this.#encoder.output.length;
    const valueEnd = this.#value('u', batch, index, plan, before, after, orders);
    const headers = this.#withUnavailable(plan, after, this.#headers);
    this.#append(plan, keyEnd === 0 ? -1 : 0, keyEnd, valueStart, valueEnd, headers, ticket);
    plan.counts.u.add(1);
  }

  delete(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, orders: Transactions, ticket: Ticket): void {
    this.#encoder.output.reset();
    const before = this.#locate(batch, index, plan, 'before');
    requireKey(plan, before);
    const keyEnd = this.#key(batch, plan, before);
    const keyStart = keyEnd === 0 ? -1 : 0;
    const valueEnd = this.#value('d', batch, index, plan, before, null, orders);
    this.#append(plan, keyStart, keyEnd, keyEnd, valueEnd, this.#headers, ticket);
    if (this.#tombstones) this.#append(plan, keyStart, keyEnd, -1, -1, this.#headers, ticket);
    plan.counts.d.add(1);
  }

  truncate(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, orders: Transactions, ticket: Ticket): void {
    this.#encoder.output.reset();
    const valueEnd = this.#value('t', batch, index, plan, null, null, orders);
    this.#append(plan, -1, -1, 0, valueEnd, this.#headers, ticket);
    plan.counts.t.add(1);
  }

  /** A key change as Debezium writes it: delete and tombstone of the old key, create of the new one, in this order. */
  #moveKey(
    batch: ChangeBatch<unknown>,
    index: number,
    plan: TablePlan,
    before: RowCells,
    after: RowCells,
    newKeyEnd: number,
    oldKeyEnd: number,
    orders: Transactions,
    ticket: Ticket,
  ): void {
    const deleteEnd = this.#value('d', batch, index, plan, before, null, orders);
    const createEnd = this.#value('c', batch, index, plan, null, after, orders);
    const toNew = [newKeyHeader(plan.encoder.keyAsJson(batch, after)), ...this.#headers];
    const toOld = [oldKeyHeader(plan.encoder.keyAsJson(batch, before)), ...this.#headers];
    const createHeaders = this.#withUnavailable(plan, after, toOld);
    // The last of the three is judged before the first is appended: an old key that is gone and no new one would be a loss.
    this.#require(plan, this.#fill(0, newKeyEnd, deleteEnd, createEnd, createHeaders));
    this.#append(plan, newKeyEnd, oldKeyEnd, oldKeyEnd, deleteEnd, toNew, ticket);
    if (this.#tombstones) this.#append(plan, newKeyEnd, oldKeyEnd, -1, -1, toNew, ticket);
    this.#append(plan, 0, newKeyEnd, deleteEnd, createEnd, createHeaders, ticket);
    plan.counts.u.add(1);
  }

  #locate(batch: ChangeBatch<unknown>, index: number, plan: TablePlan, image: 'before' | 'after'): RowCells {
    const cells = image === 'before' ? this.#before : this.#after;
    cells.reserve(plan.version.columns.length);
    plan.version.locate(batch, index, image, cells);
    return cells;
  }

  /** Appends the key to the output and returns where it ends; for a keyless table nothing is written. */
  #key(batch: ChangeBatch<unknown>, plan: TablePlan, cells: RowCells): number {
    if (plan.shape.key !== null) plan.encoder.writeKey(batch, cells);
    return this.#encoder.output.length;
  }

  #value(
    operation: Operation,
    batch: ChangeBatch<unknown>,
    index: number,
    plan: TablePlan,
    before: RowCells | null,
    after: RowCells | null,
    orders: Transactions,
  ): number {
    const order = orders === null ? null : orders.next(plan.table);
    plan.encoder.writeValue(operation, batch, index, before, after, order, this.processedAtUs);
    return this.#encoder.output.length;
  }

  #append(
    plan: TablePlan,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: readonly RecordHeader[],
    ticket: Ticket,
  ): void {
    const record = this.#fill(keyStart, keyEnd, valueStart, valueEnd, headers);
    if (!plan.topic.append(record, ticket)) throw tooLarge(plan, record);
  }

  #fill(
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    headers: readonly RecordHeader[],
  ): OutgoingRecord {
    const record = this.#record;
    record.bytes = this.#encoder.output.bytes;
    record.keyStart = keyStart;
    record.keyEnd = keyEnd;
    record.valueStart = valueStart;
    record.valueEnd = valueEnd;
    record.headers = headers;
    record.timestampMs = Math.floor(this.processedAtUs / 1000);
    return record;
  }

  #require(plan: TablePlan, record: OutgoingRecord): void {
    if (!plan.topic.takes(record)) throw tooLarge(plan, record);
  }

  #withUnavailable(plan: TablePlan, after: RowCells, headers: readonly RecordHeader[]): readonly RecordHeader[] {
    const { value } = plan.shape;
    for (let i = 0; i < value.length; i += 1) {
      if (after.starts[value[i]!.index] === CELL_UNAVAILABLE) {
        const names = value.filter((c) => after.starts[c.index] === CELL_UNAVAILABLE).map((c) => c.column.name);
        return [...headers, unavailableColumnsHeader(names)];
      }
    }
    return headers;
  }
}

function takeUnavailableKeyFromBefore(plan: TablePlan, before: RowCells, after: RowCells): void {
  for (const { index } of plan.shape.key ?? []) {
    if (after.starts[index] !== CELL_UNAVAILABLE || before.starts[index]! < 0) continue;
    after.starts[index] = before.starts[index]!;
    after.ends[index] = before.ends[index]!;
  }
}

function hasWholeKey(plan: TablePlan, cells: RowCells): boolean {
  for (const { index } of plan.shape.key ?? []) if (cells.starts[index]! <= CELL_UNAVAILABLE) return false;
  return true;
}

/** A key is never made up: a column that the log did not carry stops the change. */
function requireKey(plan: TablePlan, cells: RowCells): void {
  const { key } = plan.shape;
  if (key === null) return;
  for (let i = 0; i < key.length; i += 1) {
    const { index, column } = key[i]!;
    const start = cells.starts[index]!;
    if (start === CELL_ABSENT || start === CELL_UNAVAILABLE) {
      throw new PoisonChangeError(`the log does not carry the key column ${column.name} of a change of ${plan.table}`, {
        code: 'KEY_COLUMN_NOT_LOGGED',
        remedy: `Set REPLICA IDENTITY FULL on ${plan.table}, or choose a message_key of columns that are always logged.`,
        table: plan.table,
      });
    }
  }
}

function tooLarge(plan: TablePlan, record: OutgoingRecord): PoisonChangeError {
  const bytes = record.keyEnd - record.keyStart + record.valueEnd - record.valueStart;
  return new PoisonChangeError(
    `a record of ${bytes} bytes for ${plan.table} is larger than topic ${plan.topic.name} takes (${plan.topic.maxRecordBytes})`,
    {
      code: 'RECORD_TOO_LARGE',
      remedy: `Raise max.message.bytes of topic ${plan.topic.name}, exclude or truncate the large column, or set on_poison: dead_letter.`,
      table: plan.table,
    },
  );
}
