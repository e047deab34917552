import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import { AvroWriter } from '../../../src/avro/avro-writer.ts';
import { ConstantFragment } from '../../../src/core/value-writer.ts';
import { anyText } from '../../support/any-text.ts';

/** avsc with exact 64-bit integers: its own `long` is wrong below -2^52. */
const longType = avsc.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0),
});

function avroType(schema: avsc.Schema): avsc.Type {
  return avsc.Type.forSchema(schema, { registry: { long: longType } });
}

function written(write: (out: AvroWriter) => void): Buffer {
  const out = new AvroWriter();
  write(out);
  return Buffer.from(out.output.bytes.subarray(0, out.output.length));
}

const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, -1n, 63n, 64n, -64n, -65n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, -(2n ** 53n) - 1n, 2n ** 63n - 1n),
  fc
    .tuple(fc.integer({ min: 0, max: 62 }), fc.boolean(), fc.integer({ min: -1, max: 1 }))
    .map(([power, negative, delta]) => (negative ? -(2n ** BigInt(power)) : 2n ** BigInt(power)) + BigInt(delta)),
);

/** avsc builds a plain object, on which `__proto__` is no key. */
const MAP_KEY = fc.string().filter((key) => key !== '__proto__');

describe('AvroWriter writes what avsc writes', () => {
  it('for booleans, 32-bit integers and floating point numbers', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer(), fc.float(), fc.double(), (flag, integer, float, double) => {
        const type = avroType({
          type: 'record',
          name: 'R',
          fields: [
            { name: 'a', type: 'boolean' },
            { name: 'b', type: 'int' },
            { name: 'c', type: 'float' },
            { name: 'd', type: 'double' },
          ],
        });
        const bytes = written((out) => {
          out.beginStruct();
          out.field('a');
          out.boolean(flag);
          out.field('b');
          out.int(integer);
          out.field('c');
          out.float(float);
          out.field('d');
          out.double(double);
          out.endStruct();
        });
        assert.deepEqual(bytes, type.toBuffer({ a: flag, b: integer, c: float, d: double }));
      }),
    );
  });

  it('for 64-bit integers given as halves, signed or unsigned', () => {
    const type = avroType('long');
    fc.assert(
      fc.property(int64, fc.boolean(), (value, unsigned) => {
        const high = Number(BigInt.asIntN(32, value >> 32n));
        const low = Number(BigInt.asUintN(32, value));
        const bytes = written((out) => out.long(unsigned ? high >>> 0 : high, unsigned ? low : low | 0));
        assert.deepEqual(bytes, type.toBuffer(value));
      }),
      { numRuns: 800 },
    );
  });

  it('for safe integers', () => {
    const type = avroType('long');
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        assert.deepEqual(
          written((out) => out.safeLong(value)),
          type.toBuffer(BigInt(value)),
        );
      }),
    );
  });

  it('for strings of every length and script, as text and as UTF-8', () => {
    const type = avroType('string');
    const text = fc.oneof(
      fc.string({ maxLength: 200 }),
      anyText(200),
      fc.constantFrom(20, 23, 24, 25, 63, 64, 70_000).map((length) => 'é'.repeat(length)),
      fc.constantFrom(23, 24, 25, 63, 64, 70_000).map((length) => 'a'.repeat(length)),
    );
    fc.assert(
      fc.property(text, (value) => {
        const expected = type.toBuffer(value);
        assert.deepEqual(
          written((out) => out.text(value)),
          expected,
        );
        const padded = Buffer.from(`xx${value}yy`, 'utf8');
        assert.deepEqual(
          written((out) => out.utf8(padded, 2, padded.length - 2)),
          expected,
        );
      }),
    );
  });

  it('for bytes that are a plain Uint8Array', () => {
    const type = avroType('bytes');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (value) => {
        assert.deepEqual(
          written((out) => out.bytes(value, 0, value.length)),
          type.toBuffer(Buffer.from(value)),
        );
      }),
    );
  });

  it('for optional values on either side of the union', () => {
    const nullFirst = avroType({ type: 'array', items: ['null', 'int'] });
    const nullLast = avroType({ type: 'array', items: ['int', 'null'] });
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer())), (values) => {
        for (const [type, nullBranch] of [[nullFirst, 0] as const, [nullLast, 1] as const]) {
          const bytes = written((out) => {
            out.beginArray(values.length);
            for (const value of values) {
              if (value === null) out.absent(nullBranch);
              else {
                out.present(nullBranch);
                out.int(value);
              }
            }
            out.endArray();
          });
          assert.deepEqual(bytes, type.toBuffer(values));
        }
      }),
    );
  });

  it('for maps', () => {
    const type = avroType({ type: 'map', values: ['null', 'string'] });
    fc.assert(
      fc.property(fc.dictionary(MAP_KEY, fc.option(fc.string())), (map) => {
        const entries = Object.entries(map);
        const bytes = written((out) => {
          out.beginMap(entries.length);
          for (const [key, value] of entries) {
            const keyBytes = Buffer.from(key, 'utf8');
            out.mapKey(keyBytes, 0, keyBytes.length);
            if (value === null) out.absent(0);
            else {
              out.present(0);
              out.text(value);
            }
          }
          out.endMap();
        });
        assert.deepEqual({ ...(type.fromBuffer(bytes) as object) }, { ...map });
        assert.equal(bytes.length, type.toBuffer(map).length);
      }),
    );
  });
});

describe('AvroWriter', () => {
  it('copies a constant fragment without asking for it again', () => {
    const fragment = new ConstantFragment();
    let calls = 0;
    const write = (out: { text(value: string): void }) => {
      calls += 1;
      out.text('constant');
    };
    const bytes = written((out) => {
      out.constant(fragment, write);
      out.int(1);
      out.constant(fragment, write);
    });
    assert.equal(calls, 1);
    assert.equal(bytes.toString('hex'), '10636f6e7374616e740210636f6e7374616e74');
    fragment.reset();
    written((out) => out.constant(fragment, write));
    assert.equal(calls, 2);
  });

  it('takes back an announced value', () => {
    assert.equal(
      written((out) => {
        out.present(0);
        out.retract(0);
        out.present(1);
        out.retract(1);
      }).toString('hex'),
      '0002',
    );
  });

  it('keeps what was written when it grows, and forgets from a mark on', () => {
    const out = new AvroWriter();
    out.text('before');
    const mark = out.length;
    const large = Buffer.alloc(5 * 1024 * 1024, 7);
    out.bytes(large, 0, large.length);
    assert.equal(out.output.bytes.subarray(0, mark).toString('hex'), '0c6265666f7265');
    out.truncate(mark);
    assert.equal(out.output.length, mark);
  });

  it('gives the memory of an oversized record back with the record', () => {
    const out = new AvroWriter();
    const large = Buffer.alloc(20 * 1024 * 1024);
    out.bytes(large, 0, large.length);
    assert.ok(out.output.bytes.length >= large.length);
    out.reset();
    assert.equal(out.output.bytes.length, 64 * 1024);
  });
});
