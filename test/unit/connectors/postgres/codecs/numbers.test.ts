import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MalformedValueError } from '../../../../../src/core/errors.ts';
import { plainValue } from '../../../../support/plain-value.ts';
import { builtIn } from './built-in.ts';

const RANGES = { int2: 1n << 15n, int4: 1n << 31n, int8: 1n << 63n };

describe('integers', () => {
  for (const [name, limit] of Object.entries(RANGES)) {
    it(`${name}: every value, and no text that is none`, () => {
      const codec = builtIn(name);
      const edges = [-limit, -limit + 1n, -1n, 0n, 1n, limit - 1n];
      fc.assert(
        fc.property(fc.oneof(fc.constantFrom(...edges), fc.bigInt(-limit, limit - 1n)), (value) => {
          assert.equal(BigInt(plainValue(codec, String(value)) as number), value);
        }),
        { numRuns: 2000 },
      );
      const text = fc.oneof(
        fc.constantFrom(
          '',
          '-',
          '--1',
          '+1',
          '1 ',
          ' 1',
          '1.0',
          '1e3',
          String(limit),
          String(-limit - 1n),
          '9'.repeat(40),
        ),
        fc.stringMatching(/^-?\d{0,22}[^\d]?\d{0,3}$/),
      );
      fc.assert(
        fc.property(text, (candidate) => {
          const isInteger = /^-?\d+$/.test(candidate);
          const fits = isInteger && candidate.replace('-', '').length <= (name === 'int8' ? 19 : 10);
          if (fits && BigInt(candidate) >= -limit && BigInt(candidate) < limit) {
            assert.equal(BigInt(plainValue(codec, candidate) as number), BigInt(candidate));
          } else {
            assert.throws(() => plainValue(codec, candidate), MalformedValueError);
          }
        }),
        { numRuns: 1000 },
      );
    });
  }

  it('oid is unsigned', () => {
    assert.equal(plainValue(builtIn('oid'), '4294967295'), 4_294_967_295n);
    for (const text of ['-1', '4294967296', '']) {
      assert.throws(() => plainValue(builtIn('oid'), text), MalformedValueError);
    }
  });
});

describe('floats', () => {
  it('float8 in any spelling', () => {
    const codec = builtIn('float8');
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        const spellings = [Object.is(value, -0) ? '-0' : String(value)];
        if (Number.isFinite(value)) spellings.push(value.toExponential(), value.toPrecision(17));
        for (const text of spellings) {
          const expected = Number.isFinite(value) ? Number(text) : String(value);
          assert.ok(Object.is(plainValue(codec, text), expected), text);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('plain decimals round correctly', () => {
    const codec = builtIn('float8');
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 20n), 10n ** 20n), fc.nat(20), (unscaled, scale) => {
        const text = decimalText(unscaled, scale);
        assert.ok(Object.is(plainValue(codec, text), Number(text)), text);
      }),
      { numRuns: 2000 },
    );
  });

  it('float8 is the double nearest to a decimal of 16 or 17 digits, also beside the middle between two doubles', () => {
    const codec = builtIn('float8');
    const near = fc.record({
      value: fc.double({ min: 1e-4, max: 1e15, noNaN: true }),
      digits: fc.integer({ min: 16, max: 17 }),
      nudge: fc.integer({ min: -2, max: 2 }),
    });
    fc.assert(
      fc.property(near, ({ value, digits, nudge }) => {
        const scale = Math.min(digits, digits - 1 - Math.floor(Math.log10(value)));
        const text = decimalText(middleAbove(value, scale) + BigInt(nudge), scale);
        assert.ok(Object.is(plainValue(codec, text), Number(text)), text);
      }),
      { numRuns: 5000 },
    );
  });

  it('float4 is the float nearest to the decimal, not to the double nearest to it', () => {
    const codec = builtIn('float4');
    // From the regression tests of Postgres: rounding twice gives 0x15ae43fe.
    assert.equal(plainValue(codec, '7.038531e-26'), new Float32Array(Int32Array.of(0x15ae43fd).buffer)[0]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 0x7f7f_fffe }), fc.integer({ min: -3, max: 3 }), (bits, nudge) => {
        const [low = 0, high = 0] = new Float32Array(Int32Array.of(bits, bits + 1).buffer);
        const middle = (low + high) / 2;
        // A decimal beside the middle between two floats, so near that a double cannot tell.
        const [digits = '', exponent = ''] = middle.toExponential(24).split('e');
        const unscaled = BigInt(digits.replace('.', '')) + BigInt(nudge);
        const text = `${unscaled}e${Number(exponent) - 24}`;
        const side = compareExactly(unscaled, Number(exponent) - 24, middle);
        const even = bits % 2 === 0 ? low : high;
        assert.equal(plainValue(codec, text), side === 0 ? even : side < 0 ? low : high, text);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses what is no number', () => {
    for (const text of [
      '',
      '-',
      '.',
      '1.',
      '.5',
      '1e',
      '1e+',
      '--1',
      '1-',
      '1.2.3',
      'nan',
      '-NaN',
      'inf',
      '0x10',
      ' 1',
      '1_0',
    ]) {
      assert.throws(() => plainValue(builtIn('float8'), text), MalformedValueError, text);
      assert.throws(() => plainValue(builtIn('float4'), text), MalformedValueError, text);
    }
  });
});

describe('numeric', () => {
  it('with a scale keeps every digit', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 60n), 10n ** 60n), fc.nat(40), (unscaled, scale) => {
        const codec = builtIn('numeric', {}, (60 << 16) + scale + 4);
        assert.equal(signedBytes(plainValue(codec, decimalText(unscaled, scale)) as string), unscaled);
      }),
    );
  });

  it('without a scale has the least that is exact', () => {
    const codec = builtIn('numeric');
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.nat(40), (unscaled, digits) => {
        const { scale, value } = plainValue(codec, decimalText(unscaled, digits)) as { scale: number; value: string };
        assert.equal(signedBytes(value) * 10n ** BigInt(digits - scale), unscaled);
        assert.ok(scale === 0 || signedBytes(value) % 10n !== 0n);
      }),
    );
  });

  it('as text always has the digits of its scale', () => {
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 30n), 10n ** 30n), fc.nat(20), fc.nat(3), (unscaled, scale, fewer) => {
        const codec = builtIn('numeric', { decimal: 'string' }, (30 << 16) + scale + 4);
        const digits = Math.max(0, scale - fewer);
        const padded = decimalText(unscaled * 10n ** BigInt(scale - digits), scale);
        assert.equal(plainValue(codec, decimalText(unscaled, digits)), padded);
      }),
    );
  });

  it('has no representation of NaN and infinities in precise mode', () => {
    for (const text of ['NaN', 'Infinity', '-Infinity']) {
      assert.equal(plainValue(builtIn('numeric'), text), null);
      assert.equal(plainValue(builtIn('numeric', {}, (10 << 16) + 2 + 4), text), null);
    }
    assert.deepEqual(plainValue(builtIn('_numeric', {}, (10 << 16) + 2 + 4), '{1.00,NaN}'), ['0x64', null]);
  });

  it('refuses what is no number or has more digits than its scale', () => {
    for (const decimal of ['precise', 'string', 'double'] as const) {
      for (const text of ['', '-', '.', '1.', '.1', '1..2', '1.2.3', '1a', 'N', 'Inf', '--1', '1-']) {
        assert.throws(
          () => plainValue(builtIn('numeric', { decimal }), text),
          MalformedValueError,
          `${decimal} ${text}`,
        );
      }
    }
    for (const decimal of ['precise', 'string'] as const) {
      const codec = builtIn('numeric', { decimal }, (10 << 16) + 2 + 4);
      assert.throws(() => plainValue(codec, '1.234'), MalformedValueError);
    }
  });
});

describe('money', () => {
  it('has a dollar sign and thousands separators', () => {
    fc.assert(
      fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(0, 1, 2, 4), (cents, digits) => {
        const plain = decimalText(cents, 2);
        const text = plain.replace(
          /(-?)(\d+)/,
          (_, sign, whole) => `${sign}$${whole.replace(/\B(?=(\d{3})+$)/g, ',')}`,
        );
        const codec = builtIn('money', { moneyFractionDigits: digits });
        const unit = 10n ** BigInt(Math.abs(2 - digits));
        const magnitude = cents < 0n ? -cents : cents;
        const rounded = digits >= 2 ? magnitude * unit : (magnitude + unit / 2n) / unit;
        assert.equal(signedBytes(plainValue(codec, text) as string), cents < 0n ? -rounded : rounded);
        assert.equal(plainValue(builtIn('money', { decimal: 'string' }), text), plain);
        assert.equal(plainValue(builtIn('money', { decimal: 'double' }), text), Number(plain));
      }),
    );
  });

  it('refuses another locale', () => {
    for (const text of ['', '1.00', '€1.00', '$1,00', '$1.000,00', '($1.00)', '$1', '$1.0', '$12,34.00']) {
      assert.throws(() => plainValue(builtIn('money'), text), MalformedValueError, text);
    }
  });
});

function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(digits.length - scale)}`}`;
}

function signedBytes(hex: string): bigint {
  return BigInt.asIntN((hex.length - 2) * 4, BigInt(hex));
}

/** Sign of `unscaled × 10^exponent - double`, in exact fractions. */
function compareExactly(unscaled: bigint, exponent: number, double: number): number {
  let numerator = double;
  let halvings = 0;
  while (!Number.isInteger(numerator)) {
    numerator *= 2;
    halvings++;
  }
  const tens = 10n ** BigInt(Math.abs(exponent));
  const left = (exponent < 0 ? unscaled : unscaled * tens) << BigInt(halvings);
  const right = BigInt(numerator) * (exponent < 0 ? tens : 1n);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The middle between a positive double and the next one, times `10^scale`, rounded down. */
function middleAbove(value: number, scale: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const mantissa = (bits & 0xf_ffff_ffff_ffffn) | 0x10_0000_0000_0000n;
  const exponent = Number(bits >> 52n) - 1075;
  const numerator = (2n * mantissa + 1n) * 10n ** BigInt(scale);
  return exponent > 0 ? numerator << BigInt(exponent - 1) : numerator >> BigInt(1 - exponent);
}
