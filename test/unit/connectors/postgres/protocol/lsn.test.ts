import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareLsn,
  formatLsn,
  lsnDecimal,
  lsnDistance,
  lsnSortKey,
  parseLsn,
  withoutPageHeader,
  writeLsnDecimal,
} from '../../../../../connectors/postgres/protocol/lsn.ts';

const half = fc.integer({ min: 0, max: 0xffff_ffff });
const lsn = fc.record({ high: half, low: half }, { noNullPrototype: true });
const big = ({ high, low }: { high: number; low: number }) => (BigInt(high) << 32n) | BigInt(low);

test('the text form is read and written', () => {
  assert.deepEqual(parseLsn('16/3002D50'), { high: 0x16, low: 0x3002d50 });
  assert.equal(formatLsn({ high: 0x16, low: 0x3002d50 }), '16/3002D50');
  for (const wrong of ['', '16', '16/', '/1', '16/3002D50 ', '123456789/0', 'G/0', '-1/0']) {
    assert.equal(parseLsn(wrong), null, wrong);
  }
  fc.assert(fc.property(lsn, (value) => assert.deepEqual(parseLsn(formatLsn(value)), value)));
});

test('the decimal form is that of the 64-bit number', () => {
  const out = new Uint8Array(24);
  const check = (value: { high: number; low: number }) => {
    const expected = big(value).toString();
    assert.equal(lsnDecimal(value.high, value.low), expected);
    const end = writeLsnDecimal(value.high, value.low, out, 2);
    assert.equal(Buffer.from(out.subarray(2, end)).toString('latin1'), expected);
  };
  for (const value of [0n, 9n, 10n, 999_999_999n, 10n ** 9n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n, 10n ** 19n]) {
    check({ high: Number(value >> 32n), low: Number(value & 0xffff_ffffn) });
  }
  fc.assert(fc.property(lsn, check));
  fc.assert(fc.property(fc.integer({ min: 0, max: 0x40_0000 }), half, (high, low) => check({ high, low })));
});

test('order and distance are those of the 64-bit number', () => {
  fc.assert(
    fc.property(lsn, lsn, (a, b) => {
      const order = big(a) < big(b) ? -1 : big(a) > big(b) ? 1 : 0;
      assert.equal(Math.sign(compareLsn(a, b)), order);
      const keys = [lsnSortKey(a.high, a.low), lsnSortKey(b.high, b.low)] as const;
      assert.equal(keys[0] < keys[1] ? -1 : keys[0] > keys[1] ? 1 : 0, order);
    }),
  );
  assert.equal(lsnDistance({ high: 1, low: 0xffff_ffff }, { high: 2, low: 1 }), 2);
});

test('the end of the log behind a page header is that of the record before it', () => {
  const ends = { '0/2000018': '0/2000000', '1/4000028': '1/4000000', '0/2002018': '0/2002000' };
  for (const [told, end] of Object.entries(ends)) assert.equal(formatLsn(withoutPageHeader(parseLsn(told)!)), end);
  for (const text of ['0/2000000', '0/2000030', '0/2001018', '0/2001FF8', 'FFFFFFFF/FFFFFFF8']) {
    assert.equal(formatLsn(withoutPageHeader(parseLsn(text)!)), text);
  }
});
