import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import avsc from 'avsc';
import fc from 'fast-check';
import { AvroCursor } from '../../../src/avro/avro-cursor.ts';
import { AvroDecodeError } from '../../../src/avro/avro-reader.ts';
import { ComparableSchema } from '../../../src/avro/comparable-schema.ts';
import { GrowingBytes } from '../../../src/core/growing-bytes.ts';

/** A record with one field `v` of this type. */
function schemaOf(type: unknown): string {
  return JSON.stringify({ type: 'record', name: 'R', namespace: 'n', fields: [{ name: 'v', type }] });
}

/** Comparable form of a value that avsc encoded; unions are wrapped as avsc wants it. */
function comparable(type: unknown, value: unknown, texts = new Map<string, (text: string) => string>()): string {
  const schema = schemaOf(type);
  const bytes = avsc.Type.forSchema(JSON.parse(schema), { wrapUnions: 'never' }).toBuffer({ v: value });
  return taken(schema, bytes, texts);
}

function taken(schema: string, bytes: Buffer, texts = new Map<string, (text: string) => string>()): string {
  const out = new GrowingBytes(1);
  const input = new AvroCursor().open(bytes, 0);
  for (const { take } of new ComparableSchema(schema, texts).rootRecord().fields) take(input, out);
  assert.equal(input.remaining, 0);
  return out.bytes.toString('hex', 0, out.length);
}

describe('the comparable form of a value', () => {
  it('is the same whatever schema the value was written with', () => {
    const forms: [value: unknown, types: unknown[]][] = [
      [7, ['int', 'long', ['null', 'int'], ['int', 'null'], { type: 'int', 'connect.type': 'int16' }]],
      [null, ['null', ['null', 'int'], ['string', 'null']]],
      ['ü', ['string', ['null', 'string'], { type: 'string', 'connect.name': 'io.debezium.data.Json' }]],
      [1.5, ['float', 'double', ['null', 'double']]],
      [
        [1, 2],
        [
          { type: 'array', items: 'int' },
          { type: 'array', items: ['null', 'long'] },
        ],
      ],
      [
        { a: 1, b: 2 },
        [
          { type: 'map', values: 'int' },
          { type: 'map', values: ['null', 'long'] },
        ],
      ],
    ];
    for (const [value, types] of forms) {
      const [first, ...others] = types.map((type) => comparable(type, value));
      for (const other of others) assert.equal(other, first, JSON.stringify(value));
    }
    const text = comparable('string', 'ab');
    assert.equal(comparable('bytes', Buffer.from('ab')), text);
    assert.equal(comparable({ type: 'fixed', name: 'F', size: 2 }, Buffer.from('ab')), text);
    assert.equal(comparable({ type: 'enum', name: 'E', symbols: ['x', 'ab'] }, 'ab'), text);
  });

  it('does not depend on the order of a map or on how an array is cut into blocks', () => {
    const map = { type: 'map', values: 'int' };
    assert.equal(comparable(map, { x: 1, a: 2, m: 3 }), comparable(map, { m: 3, x: 1, a: 2 }));
    const array = schemaOf({ type: 'array', items: 'int' });
    const whole = Buffer.from([6, 2, 4, 6, 0]);
    const blocks = Buffer.from([2, 2, 3, 4, 4, 6, 0]);
    assert.equal(taken(array, blocks), taken(array, whole));
  });

  it('differs where values differ', () => {
    const type = {
      type: 'record',
      name: 'Row',
      fields: [
        { name: 'a', type: ['null', 'long'] },
        { name: 'b', type: ['string', 'null'] },
        { name: 'c', type: { type: 'array', items: ['null', 'string'] } },
        { name: 'd', type: 'double' },
        { name: 'e', type: { type: 'map', values: 'string' } },
      ],
    };
    const row = fc.record({
      a: fc.option(fc.integer({ min: -3, max: 3 })),
      b: fc.option(fc.constantFrom('', '\0', 'a', 'aa')),
      c: fc.array(fc.option(fc.constantFrom('', '\u0001', 'a')), { maxLength: 3 }),
      d: fc.constantFrom(0, 1, Number.NaN),
      e: fc.dictionary(fc.constantFrom('', 'k', '\u0001'), fc.constantFrom('', 'v'), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    });
    const keyOf = ({ e, d, ...rest }: { e: object; d: number }) =>
      JSON.stringify([rest, String(d), Object.entries(e).sort(([x], [y]) => (x < y ? -1 : 1))]);
    fc.assert(
      fc.property(row, row, (one, other) => {
        assert.equal(comparable(type, one) === comparable(type, other), keyOf(one) === keyOf(other));
      }),
      { numRuns: 500 },
    );
  });

  it('rewrites the texts of a type that is told', () => {
    const texts = new Map([['x.Time', (text: string) => text.toUpperCase()]]);
    const time = { type: 'string', 'connect.name': 'x.Time' };
    assert.equal(comparable(time, 'ab', texts), comparable('string', 'AB'));
    assert.equal(comparable('string', 'ab', texts), comparable('string', 'ab'));
  });

  it('knows recursive types, and refuses what is no value of the schema', () => {
    const list = { type: 'record', name: 'L', fields: [{ name: 'next', type: ['null', 'L'] }] };
    assert.notEqual(comparable(list, { next: { next: null } }), comparable(list, { next: null }));
    const deep = Buffer.alloc(1_000_000, 2);
    assert.throws(() => taken(schemaOf(list), deep), AvroDecodeError);
    for (const [type, bytes] of [
      ['boolean', [2]],
      ['string', [4, 97]],
      ['string', [3]],
      ['long', new Array(11).fill(0x80)],
      [['null', 'int'], [4]],
      [{ type: 'array', items: 'int' }, [0xfe, 0xff, 0xff, 0x0f]],
      ['double', [1, 2, 3]],
    ] as const) {
      assert.throws(() => taken(schemaOf(type), Buffer.from(bytes)), AvroDecodeError, JSON.stringify(type));
    }
    assert.throws(() => new ComparableSchema('{').rootRecord(), AvroDecodeError);
    assert.throws(() => new ComparableSchema('"int"').rootRecord(), AvroDecodeError);
    assert.throws(() => new ComparableSchema(schemaOf('Unknown')).rootRecord(), AvroDecodeError);
  });
});
