import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChangeBatch, RowImage } from '../../../src/core/change-batch.ts';
import type { OutputBuffer, RecordEncoder } from '../../../src/core/encoder.ts';
import { PoisonChangeError } from '../../../src/core/errors.ts';
import type { OutgoingRecord } from '../../../src/core/sink.ts';
import type { RowCells } from '../../../src/core/table.ts';
import { Ticket } from '../../../src/core/ticket.ts';
import { RowPublisher } from '../../../src/pipeline/row-publisher.ts';
import type { TablePlan } from '../../../src/pipeline/table-plan.ts';

class Output implements OutputBuffer {
  readonly bytes = Buffer.alloc(1024);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  write(text: string): void {
    this.length += this.bytes.write(text, this.length);
  }
}

/** A table whose key is `old` before and `new` after an update; each value is 100 bytes, each record what `size` says. */
function stage(limit: number) {
  const output = new Output();
  const appended: string[] = [];
  const size = (record: OutgoingRecord) =>
    record.keyEnd -
    record.keyStart +
    Math.max(record.valueEnd - record.valueStart, 0) +
    record.headers.reduce((sum, { value }) => sum + value.length, 0);
  const textOf = (cells: RowCells) => (cells.starts[0] === 0 ? 'old' : 'new');
  const plan = {
    table: 'public.t',
    version: {
      columns: [{}],
      locate: (_batch: unknown, _index: number, image: RowImage, cells: RowCells) => {
        cells.starts[0] = image === 'before' ? 0 : 1;
      },
    },
    shape: { key: [{ index: 0, column: { name: 'id' } }], value: [] },
    encoder: {
      writeKey: (_batch: unknown, cells: RowCells) => output.write(textOf(cells)),
      writeValue: (operation: string) => output.write(operation.repeat(100)),
      // What points to the old key is longer than what points to the new one, so that only the create may be too large.
      keyAsJson: (_batch: unknown, cells: RowCells) =>
        JSON.stringify({ id: cells.starts[0] === 0 ? 'old key' : 'new' }),
    },
    topic: {
      name: 'shop.public.t',
      maxRecordBytes: limit,
      takes: (record: OutgoingRecord) => size(record) <= limit,
      append: (record: OutgoingRecord) => {
        if (size(record) > limit) return false;
        const key = output.bytes.toString('utf8', record.keyStart, record.keyEnd);
        appended.push(
          `${key} ${record.valueStart < 0 ? 'tombstone' : String.fromCharCode(output.bytes[record.valueStart]!)}`,
        );
        return true;
      },
    },
    counts: { c: { add() {} }, u: { add() {} }, d: { add() {} }, t: { add() {} } },
  } as unknown as TablePlan;
  const rows = new RowPublisher({ output } as unknown as RecordEncoder, [], true);
  const batch = { hasBefore: Uint8Array.of(1) } as unknown as ChangeBatch<unknown>;
  return { update: () => rows.update(batch, 0, plan, null, new Ticket(() => {})), appended };
}

test('a key change is delete and tombstone of the old key, then create of the new one', () => {
  const { update, appended } = stage(1000);
  update();
  assert.deepEqual(appended, ['old d', 'old tombstone', 'new c']);
});

test('a key change of which one record does not fit leaves nothing behind, headers included', () => {
  // Without headers every record has 103 bytes; with them the delete has 115 and the create 119.
  for (const limit of [102, 103, 110, 114, 115, 118]) {
    const { update, appended } = stage(limit);
    assert.throws(update, PoisonChangeError);
    assert.deepEqual(appended, [], `limit ${limit}`);
  }
  const { update, appended } = stage(119);
  update();
  assert.equal(appended.length, 3);
});
