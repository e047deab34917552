import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PgPosition } from '../../../../../connectors/postgres/positions.ts';
import { PgViewMark } from '../../../../../connectors/postgres/snapshot/view-mark.ts';
import { TransactionContext } from '../../../../../connectors/postgres/transaction-context.ts';
import type { ChangeBatch } from '../../../../../src/core/change-batch.ts';

const HIGH = { high: 1, low: 0x20 };

const at = (lsn: PgPosition['lsn']) => ({ lsn }) as PgPosition;

/** @param commit the lower half of where its commit record starts */
function begin(xid: number, commit: number): ChangeBatch<PgPosition> {
  const transaction = new TransactionContext(xid, 0, null, { high: 0, low: commit });
  const batch = { transactions: [transaction], details: [transaction] };
  return batch as unknown as ChangeBatch<PgPosition>;
}

it('a view of a primary is the same to a later process', () => {
  const snapshot = { xmin: 0x1_0000_000a, xmax: 0x1_0000_0014, running: new Set([0x1_0000_000a, 0x1_0000_000e]) };
  const mark = new PgViewMark(HIGH, { snapshot });
  assert.equal(`${mark}`, '1/20 seen 4294967306:4294967316:4294967306,4294967310');
  for (const each of [mark, PgViewMark.parse(`${mark}`)]) {
    assert.deepEqual(
      [9, 10, 11, 14, 20].map((xid) => each.contains(begin(xid, 0), 0)),
      [true, false, true, false, false],
    );
    assert.ok(!each.isPassed(at({ high: 1, low: 0x1f })));
    assert.ok(each.isPassed(at(HIGH)));
  }
});

it('a view of a standby is known by what was replayed', () => {
  const mark = PgViewMark.parse(`${new PgViewMark(HIGH, { replayed: { high: 0, low: 0x10 } })}`);
  assert.equal(`${mark}`, '1/20 replayed 0/10');
  assert.ok(mark.contains(begin(1, 0xf), 0));
  assert.ok(!mark.contains(begin(1, 0x10), 0));
});

it('other text is refused', () => {
  for (const text of ['', '1/20', '1/20 seen', '1/20 guessed 1:1:', 'x seen 1:1:']) {
    assert.throws(() => PgViewMark.parse(text), { errorClass: 'fatal' });
  }
});
