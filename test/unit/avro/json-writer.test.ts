import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { javaDoubleText, javaFloatText } from '../../../src/avro/java-number-text.ts';
import { JsonWriter } from '../../../src/avro/json-writer.ts';
import { anyText } from '../../support/any-text.ts';

function written(write: (out: JsonWriter) => void): string {
  const out = new JsonWriter();
  write(out);
  return out.take();
}

function decimal(text: string, scale: number): string {
  const bytes = Buffer.from(text);
  return written((out) => out.decimal(bytes, 0, bytes.length, scale));
}

describe('JsonWriter', () => {
  it('nests structs, arrays and maps', () => {
    const key = Buffer.from('k"');
    const json = written((out) => {
      out.beginStruct();
      out.field('a');
      out.beginArray(3);
      out.present(0);
      out.int(1);
      out.absent(0);
      out.beginArray(0);
      out.endArray();
      out.endArray();
      out.field('b');
      out.beginMap(2);
      out.mapKey(key, 0, 2);
      out.text('{');
      out.mapKey(key, 0, 1);
      out.text('[:');
      out.endMap();
      out.field('c');
      out.present(1);
      out.retract(1);
      out.field('d');
      out.beginStruct();
      out.endStruct();
      out.field('e');
      out.boolean(true);
      out.endStruct();
    });
    assert.equal(json, '{"a":[1,null,[]],"b":{"k\\"":"{","k":"[:"},"c":null,"d":{},"e":true}');
  });

  it('keeps all digits of 64-bit integers', () => {
    assert.equal(
      written((out) => out.long(0x7fffffff, 0xffffffff)),
      '9223372036854775807',
    );
    assert.equal(
      written((out) => out.long(-0x80000000, 0)),
      '-9223372036854775808',
    );
  });

  it('prints decimals as BigDecimal does', () => {
    assert.equal(decimal('3.30', 2), '3.30');
    assert.equal(decimal('3.3', 2), '3.30');
    assert.equal(decimal('-0.05', 2), '-0.05');
    assert.equal(decimal('-0.00', 2), '0.00');
    assert.equal(decimal('007', 0), '7');
    assert.equal(decimal('0.0000001', 7), '1E-7');
    assert.equal(decimal('0.00000012', 8), '1.2E-7');
    assert.equal(decimal('0.000001', 6), '0.000001');
    const safe = (unscaled: number, scale: number) => written((out) => out.safeDecimal(unscaled, scale));
    assert.equal(safe(330, 2), '3.30');
    assert.equal(safe(-5, 2), '-0.05');
    assert.equal(safe(-0, 2), '0.00');
    assert.equal(safe(-7, 0), '-7');
    assert.equal(safe(1, 7), '1E-7');
    assert.equal(decimal('12345678901234567890.5', 1), '12345678901234567890.5');
  });

  it('prints bytes as base64, and numbers that JSON lacks as strings', () => {
    assert.equal(
      written((out) => out.bytes(Uint8Array.of(0, 255, 16), 0, 3)),
      '"AP8Q"',
    );
    assert.equal(
      written((out) => out.double(Number.NaN)),
      '"NaN"',
    );
    assert.equal(
      written((out) => out.float(Number.NEGATIVE_INFINITY)),
      '"-Infinity"',
    );
  });

  it('writes any string so that it reads back', () => {
    fc.assert(
      fc.property(anyText(), (value) => {
        assert.equal(JSON.parse(written((out) => out.text(value))), value);
      }),
    );
  });
});

describe('Java’s number text', () => {
  it('is laid out as Double.toString does', () => {
    const samples: [number, string][] = [
      [1.25, '1.25'],
      [-1.25, '-1.25'],
      [5, '5.0'],
      [1e10, '1.0E10'],
      [9999999, '9999999.0'],
      [1e7, '1.0E7'],
      [12345678.9, '1.23456789E7'],
      [0.001, '0.001'],
      [0.00099, '9.9E-4'],
      [100, '100.0'],
      [-0, '-0.0'],
      [Number.MAX_VALUE, '1.7976931348623157E308'],
      [Number.MIN_VALUE, '4.9E-324'],
    ];
    for (const [value, text] of samples) assert.equal(javaDoubleText(value), text);
  });

  it('uses the digits of the float, not of the double that holds it', () => {
    assert.equal(javaFloatText(Math.fround(0.1)), '0.1');
    assert.equal(javaFloatText(Math.fround(3.4028235e38)), '3.4028235E38');
    assert.equal(javaFloatText(16777216), '1.6777216E7');
  });

  it('names the same number', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Number(javaDoubleText(value)), value);
      }),
    );
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Math.fround(Number(javaFloatText(value))), value);
      }),
    );
  });
});
