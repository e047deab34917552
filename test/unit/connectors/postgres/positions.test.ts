import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { pgPositions } from '../../../../connectors/postgres/positions.ts';
import { FatalError } from '../../../../src/core/errors.ts';

const half = fc.integer({ min: 0, max: 0xffff_ffff });
const lsn = fc.record({ high: half, low: half }, { noNullPrototype: true });

test('a position survives its text form', () => {
  const position = fc.record(
    { lsn, lastCommit: fc.option(lsn), lastCommitTimeUs: fc.option(fc.integer({ min: 0, max: 2 ** 52 })) },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(position, (value) => assert.deepEqual(pgPositions.decode(pgPositions.encode(value)), value)));
});

test('the text form is short and readable', () => {
  const at = { high: 0, low: 0x16b3748 };
  const before = { high: 0, low: 0x16b3700 };
  assert.equal(pgPositions.encode({ lsn: at, lastCommit: null, lastCommitTimeUs: null }), '0/16B3748');
  assert.equal(pgPositions.encode({ lsn: at, lastCommit: before, lastCommitTimeUs: 7 }), '0/16B3748,0/16B3700,7');
  assert.equal(pgPositions.encode({ lsn: at, lastCommit: null, lastCommitTimeUs: 7 }), '0/16B3748,,7');
  assert.deepEqual(pgPositions.decode('0/16B3748,0/16B3700'), { lsn: at, lastCommit: before, lastCommitTimeUs: null });
});

test('other text is refused', () => {
  for (const wrong of ['', '0', 'x/1', '0/1,x', '0/1,0/1,x', '0/1,0/1,1,1', '0/1,0/1,-5', '{"lsn":1}']) {
    assert.throws(() => pgPositions.decode(wrong), FatalError, wrong);
  }
});
