import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SAFE_DIGITS, unscaledReader } from '../../../../../connectors/mysql/codecs/safe-decimal.ts';
import { MalformedValueError } from '../../../../../src/core/errors.ts';

/** As the server's decimal2bin describes it, with bigints and no word of the reader's. */
function packed(digits: string, whole: number, negative: boolean): Buffer {
  const groups: string[] = [];
  const lead = whole % 9;
  if (lead > 0) groups.push(digits.slice(0, lead));
  for (let at = lead; at < whole; at += 9) groups.push(digits.slice(at, at + 9));
  for (let at = whole; at < digits.length; at += 9) groups.push(digits.slice(at, at + 9));
  const hex = groups.map((group) => {
    const width = { 1: 1, 2: 1, 3: 2, 4: 2, 5: 3, 6: 3 }[group.length] ?? 4;
    return BigInt(group)
      .toString(16)
      .padStart(width * 2, '0');
  });
  const bytes = Buffer.from(hex.join(''), 'hex');
  bytes[0]! ^= 0x80;
  return negative ? Buffer.from(bytes.map((byte) => ~byte & 0xff)) : bytes;
}

test('a DECIMAL of up to 15 digits is read without its point', () => {
  const shape = fc
    .integer({ min: 1, max: SAFE_DIGITS })
    .chain((precision) => fc.tuple(fc.constant(precision), fc.integer({ min: 0, max: precision })));
  const number = shape.chain(([precision, scale]) =>
    fc.tuple(
      fc.constant(scale),
      fc.oneof(
        fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: precision, maxLength: precision }),
        fc.constantFrom('9'.repeat(precision), '0'.repeat(precision)),
      ),
      fc.boolean(),
    ),
  );
  fc.assert(
    fc.property(number, ([scale, digits, negative]) => {
      const bytes = Buffer.concat([Buffer.of(7), packed(digits, digits.length - scale, negative), Buffer.of(7)]);
      const read = unscaledReader(digits.length, scale)(bytes, 1, bytes.length - 1);
      assert.equal(BigInt(read), negative ? -BigInt(digits) : BigInt(digits));
    }),
    { numRuns: 2000 },
  );
});

test('bytes that are no DECIMAL of the column are refused', () => {
  const read = unscaledReader(12, 2);
  const valid = packed('123456789012', 10, false);
  assert.equal(read(valid, 0, 6), 123_456_789_012);
  assert.throws(() => read(valid, 0, 5), MalformedValueError);
  assert.throws(() => read(valid, 0, 7), MalformedValueError);
  // A word of nine digits that says 1,000,000,000; all bits; a fraction of 100.
  for (const hex of ['813b9aca0000', '81ffffffff00', '810000000064']) {
    assert.throws(() => read(Buffer.from(hex, 'hex'), 0, 6), MalformedValueError, hex);
  }
});
