import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ProtocolError } from '../../../../../connectors/postgres/protocol/protocol-error.ts';
import { scanTuple, type TupleScan } from '../../../../../connectors/postgres/protocol/tuple.ts';

// Two text columns ("1", "uno"), one unchanged, one NULL.
const TUPLE = Buffer.from('000474000000013174000000' + '03756e6f756e', 'hex');
const newScan = (): TupleScan => ({ end: 0, firstForbiddenNull: -1 });

test('a tuple ends where its last column ends', () => {
  const scan = newScan();
  scanTuple(TUPLE, 0, TUPLE.length, 4, null, scan);
  assert.deepEqual(scan, { end: TUPLE.length, firstForbiddenNull: -1 });
});

test('a NULL is reported only where it must not be', () => {
  const scan = newScan();
  scanTuple(TUPLE, 0, TUPLE.length, 4, Uint8Array.of(1, 1, 1, 0), scan);
  assert.equal(scan.firstForbiddenNull, -1);
  scanTuple(TUPLE, 0, TUPLE.length, 4, Uint8Array.of(0, 0, 0, 1), scan);
  assert.equal(scan.firstForbiddenNull, 3);
});

test('another column count, an unknown form and a cut are errors', () => {
  assert.throws(() => scanTuple(TUPLE, 0, TUPLE.length, 3, null, newScan()), ProtocolError);
  const unknown = Buffer.from(TUPLE);
  unknown[2] = 0x62;
  assert.throws(() => scanTuple(unknown, 0, unknown.length, 4, null, newScan()), ProtocolError);
  for (let end = 0; end < TUPLE.length; end++) {
    assert.throws(() => scanTuple(TUPLE, 0, end, 4, null, newScan()), ProtocolError, `cut at ${end}`);
  }
});

test('arbitrary bytes give an end within bounds or a ProtocolError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 5 }), (bytes, columns) => {
      const tuple = Buffer.concat([Buffer.from([0, columns]), bytes]);
      const scan = newScan();
      try {
        scanTuple(tuple, 0, tuple.length, columns, null, scan);
        assert.ok(scan.end >= 2 && scan.end <= tuple.length);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
  );
});
