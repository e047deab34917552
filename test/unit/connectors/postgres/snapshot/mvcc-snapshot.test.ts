import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isVisible, parseMvccSnapshot, widenXid } from '../../../../../connectors/postgres/snapshot/mvcc-snapshot.ts';

test('a snapshot shows what ended before it, and nothing that ran or came later', () => {
  const snapshot = parseMvccSnapshot('10:20:10,14,19');
  const visible = Array.from({ length: 25 }, (_, xid) => xid).filter((xid) => isVisible(snapshot, xid));
  assert.deepEqual(visible, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 15, 16, 17, 18]);
  assert.deepEqual(parseMvccSnapshot('10:10:'), { xmin: 10, xmax: 10, running: new Set() });
  for (const text of ['', '10', '10:', 'a:b:', '1:2:x', 'null:1:']) {
    assert.throws(() => parseMvccSnapshot(text), { code: 'POSTGRES_UNEXPECTED' });
  }
});

test('a transaction id of 32 bits is the one nearest to the snapshot', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 2 ** 45 }),
      fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }),
      (near, distance) => {
        const xid = near + distance;
        fc.pre(xid >= 0);
        assert.equal(widenXid(xid % 2 ** 32, near), xid);
      },
    ),
  );
});
