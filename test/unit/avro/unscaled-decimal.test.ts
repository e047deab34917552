import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { UnscaledDecimal } from '../../../src/avro/unscaled-decimal.ts';
import { MalformedValueError } from '../../../src/core/errors.ts';

const decimal = new UnscaledDecimal();

function parse(text: string, scale: number): string {
  const bytes = Buffer.from(`<${text}>`, 'latin1');
  decimal.parse(bytes, 1, bytes.length - 1, scale);
  return Buffer.from(decimal.bytes.subarray(decimal.start)).toString('hex');
}

/** Independent of the implementation: grows a two's complement until the value fits. */
function twosComplement(value: bigint): string {
  let bytes = 1;
  while (value < -(2n ** BigInt(bytes * 8 - 1)) || value >= 2n ** BigInt(bytes * 8 - 1)) bytes += 1;
  return BigInt.asUintN(bytes * 8, value)
    .toString(16)
    .padStart(bytes * 2, '0');
}

describe('UnscaledDecimal', () => {
  it('gives the bytes that Debezium writes', () => {
    assert.equal(parse('1.28', 2), '0080');
    assert.equal(parse('-1.28', 2), '80');
    assert.equal(parse('1.500', 3), '05dc');
    assert.equal(parse('9.5', 1), '5f');
    assert.equal(parse('0', 2), '00');
    assert.equal(parse('-0.00', 2), '00');
  });

  it('gives minimal two’s complement for any number of digits', () => {
    const number = fc.tuple(
      fc.oneof(
        fc.bigInt({ min: -(10n ** 19n), max: 10n ** 19n }),
        fc.bigInt({ min: -(10n ** 60n), max: 10n ** 60n }),
        fc.bigInt({ min: -300n, max: 300n }),
        fc
          .tuple(fc.integer({ min: 0, max: 130 }), fc.integer({ min: -1, max: 1 }), fc.boolean())
          .map(([power, delta, negative]) => (negative ? -1n : 1n) * (2n ** BigInt(power) + BigInt(delta))),
      ),
      fc.integer({ min: 0, max: 30 }),
    );
    fc.assert(
      fc.property(number, fc.integer({ min: 0, max: 5 }), ([unscaled, scale], leadingZeros) => {
        const sign = unscaled < 0n ? '-' : '';
        const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
        const whole = digits.slice(0, digits.length - scale);
        const fraction = digits.slice(digits.length - scale);
        const text = `${sign}${'0'.repeat(leadingZeros)}${whole}${scale > 0 ? `.${fraction}` : ''}`;
        assert.equal(parse(text, scale), twosComplement(unscaled));
        // Missing fraction digits are zeros, and zeros beyond the scale do not count.
        assert.equal(parse(scale > 0 ? text.replace(/0+$/, '') : text, scale), twosComplement(unscaled));
        assert.equal(parse(scale > 0 ? `${text}000` : `${text}.000`, scale), twosComplement(unscaled));
      }),
      { numRuns: 3000 },
    );
  });

  it('takes a safe integer as the number it stands for', () => {
    const edges = [0, -0, 127, 128, -128, -129, 2 ** 31, -(2 ** 32), 2 ** 32 - 1, 2 ** 53 - 1, -(2 ** 53 - 1)];
    fc.assert(
      fc.property(fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.constantFrom(...edges)), (unscaled) => {
        decimal.set(unscaled);
        assert.equal(
          Buffer.from(decimal.bytes.subarray(decimal.start)).toString('hex'),
          twosComplement(BigInt(unscaled)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses to round', () => {
    assert.throws(() => parse('1.234', 2), RangeError);
    assert.throws(() => parse('0.5', 0), RangeError);
    assert.throws(() => parse('123456789012345678901.005', 2), RangeError);
  });

  it('refuses what is not a number', () => {
    for (const text of ['', '-', '.', 'NaN', 'Infinity', '1e5', '1.2.3', '--1', '1 2', '+1']) {
      assert.throws(() => parse(text, 2), MalformedValueError, text);
    }
  });
});
