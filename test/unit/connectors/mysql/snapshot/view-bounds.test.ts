import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseGtidProgress } from '../../../../../connectors/mysql/gtid-progress.ts';
import type { MySqlPosition } from '../../../../../connectors/mysql/positions.ts';
import { Gtid } from '../../../../../connectors/mysql/protocol/gtid.ts';
import { GtidSet } from '../../../../../connectors/mysql/protocol/gtid-set.ts';
import {
  GtidBounds,
  PlaceBounds,
  recallBounds,
  type ViewBounds,
} from '../../../../../connectors/mysql/snapshot/view-bounds.ts';
import { TransactionContext } from '../../../../../connectors/mysql/transaction-context.ts';
import type { ChangeBatch } from '../../../../../src/core/change-batch.ts';

const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
const B = '4e11fa47-71ca-11e1-9e33-c80aa9429562';

function contains(bounds: ViewBounds, gtid: Gtid | null, file = 'binlog.000001', position = 4): boolean {
  const transaction = new TransactionContext(gtid, 1, file, position, 0);
  const batch = { transactions: [transaction], eventPositions: [position] };
  return bounds.contains(batch as unknown as ChangeBatch<MySqlPosition>, 0);
}

function at(file: string, pos: number, gtids: string | null = null, epoch = 0): MySqlPosition {
  return { file, pos, gtids: gtids === null ? null : parseGtidProgress('mysql', gtids), epoch };
}

/** The same bounds, as a later process knows them. */
const recalled = (bounds: ViewBounds) => recallBounds(`${bounds}`);

it('a transaction is in a view by GTID where it was executed before, tags and holes included', () => {
  const bounds = new GtidBounds(GtidSet.parse(`${A}:1-5:8:tag:1-2`), GtidSet.parse(`${A}:1-9:tag:1-3`));
  const later = recalled(bounds);
  for (const [source, number, expected] of [
    [A, 5, true],
    [A, 6, false],
    [A, 8, true],
    [`${A}:tag`, 2, true],
    [`${A}:tag`, 3, false],
    [B, 1, false],
  ] as const) {
    const gtid = new Gtid(source, ':', number);
    assert.equal(contains(bounds, gtid), expected, gtid.text);
    assert.equal(contains(later, gtid), expected, `${gtid.text}, later`);
  }
  assert.equal(contains(bounds, null), false);
  assert.equal(contains(later, null), false);
});

it('a view by GTID is passed once everything that may be visible was emitted', () => {
  const bounds = new GtidBounds(GtidSet.parse(`${A}:1-5`), GtidSet.parse(`${A}:1-9,${B}:1-2`));
  assert.ok(!recalled(bounds).isPassed(at('', 0, `${A}:1-8`)));
  assert.ok(recalled(bounds).isPassed(at('', 0, `${A}:1-9,${B}:1-4`)));
  assert.ok(!bounds.isPassed(at('', 0)));
  assert.ok(!bounds.isPassed(at('', 0, `${A}:1-8`)));
  assert.ok(!bounds.isPassed(at('', 0, `${A}:1-8:10-20,${B}:1-2`)));
  assert.ok(bounds.isPassed(at('', 0, `${A}:1-9,${B}:1-4`)));
});

it('a transaction is in a view by place where it begins before it; file names outgrow their digits', () => {
  const place = { file: 'binlog.999999', position: 500 };
  const bounds = new PlaceBounds(3, place, { file: 'binlog.1000000', position: 100 });
  assert.ok(contains(recalled(bounds), null, 'binlog.999999', 499));
  assert.ok(!contains(recalled(bounds), null, 'binlog.999999', 500));
  assert.ok(!recalled(bounds).isPassed(at('binlog.1000000', 99, null, 3)));
  assert.ok(recalled(bounds).isPassed(at('binlog.1000000', 100, null, 3)));
  assert.ok(contains(bounds, null, 'binlog.999998', 1e12));
  assert.ok(contains(bounds, null, 'binlog.999999', 499));
  assert.ok(!contains(bounds, null, 'binlog.999999', 500));
  assert.ok(!contains(bounds, null, 'binlog.1000000', 4));
  assert.ok(!bounds.isPassed(at('binlog.999999', 900, null, 3)));
  assert.ok(!bounds.isPassed(at('binlog.1000000', 99, null, 3)));
  assert.ok(bounds.isPassed(at('binlog.1000000', 100, null, 3)));
  assert.ok(bounds.isPassed(at('binlog.1000001', 4, null, 3)));
  assert.ok(!bounds.isPassed(at('binlog.1000001', 4, null, 4)), 'the files of another server');
  assert.ok(!bounds.isPassed(at('', 0, null, 3)), 'the stream was not told yet where it is');
});

it('text that is no place of a view is refused', () => {
  for (const text of ['', 'gtids', 'places 1 a:1', `places x a:1 b:2`]) {
    assert.throws(() => recallBounds(text), { code: 'MYSQL_VIEW_MARK_MALFORMED' });
  }
});
