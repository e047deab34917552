import assert from 'node:assert/strict';
import { test } from 'node:test';
import avro from 'avsc';
import fc from 'fast-check';
import { EXACT_LONG } from '../../../deploy/local/avsc-exact-long.ts';
import { avroDecoder, unscaledText } from '../../../src/avro/avro-decoder.ts';
import { AvroDecodeError } from '../../../src/avro/avro-reader.ts';
import { anyText } from '../../support/any-text.ts';

const SCHEMA = {
  type: 'record',
  name: 'Row',
  namespace: 'shop.public',
  fields: [
    { name: 'long', type: 'long' },
    { name: 'int', type: 'int' },
    { name: 'double', type: 'double' },
    { name: 'flag', type: 'boolean' },
    { name: 'text', type: ['null', 'string'] },
    { name: 'bytes', type: 'bytes' },
    { name: 'fixed', type: { type: 'fixed', name: 'Four', size: 4 } },
    { name: 'again', type: 'Four' },
    { name: 'colour', type: { type: 'enum', name: 'Colour', symbols: ['red', 'blue'] } },
    { name: 'list', type: { type: 'array', items: ['null', 'long'] } },
    { name: 'map', type: { type: 'map', values: 'int' } },
    { name: 'next', type: ['null', 'shop.public.Row'] },
  ],
} as const;

const four = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => Buffer.from(bytes));
const { row } = fc.letrec<{ row: unknown }>((tie) => ({
  row: fc.record({
    long: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    int: fc.integer(),
    double: fc.double({ noNaN: true }),
    flag: fc.boolean(),
    text: fc.option(anyText()),
    bytes: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fixed: four,
    again: four,
    colour: fc.constantFrom('red', 'blue'),
    list: fc.array(fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))),
    map: fc.dictionary(fc.string(), fc.integer(), { noNullPrototype: true }),
    next: fc.option(tie('row'), { maxDepth: 3 }),
  }),
}));

const oracle = avro.Type.forSchema(structuredClone(SCHEMA) as unknown as avro.Schema, {
  registry: { long: EXACT_LONG },
});
const decode = avroDecoder(JSON.stringify(SCHEMA));

/** Without the classes and prototypes that avsc gives its records. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

test('reads what avsc writes', () => {
  fc.assert(
    fc.property(row, (value) => {
      assert.deepEqual(decode(Buffer.concat([Buffer.of(9, 9), oracle.toBuffer(value)]), 2), plain(value));
    }),
  );
});

test('cut or altered bytes give a typed error or another value, never anything else', () => {
  fc.assert(
    fc.property(row, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = oracle.toBuffer(value);
      assert.throws(() => decode(bytes.subarray(0, at % bytes.length), 0), AvroDecodeError);
      bytes[at % bytes.length] = byte;
      try {
        decode(bytes, 0);
      } catch (error) {
        assert.ok(error instanceof AvroDecodeError, String(error));
      }
    }),
  );
});

test('bytes after the value, endless nesting and impossible counts are refused', () => {
  const ints = avroDecoder('{"type":"array","items":"int"}');
  assert.throws(() => avroDecoder('"int"')(Buffer.of(2, 2), 0), /1 bytes follow/);
  assert.throws(() => ints(Buffer.from('feffffff0f', 'hex'), 0), /longer than the record/);
  assert.throws(() => avroDecoder('{"type":"array","items":"null"}')(Buffer.from('feffffff0f', 'hex'), 0), /longer/);
  assert.throws(() => avroDecoder('"long"')(Buffer.alloc(11, 0xff), 0), /more than 64 bits/);
  assert.throws(() => avroDecoder('"string"')(Buffer.of(2, 0xff), 0), /not UTF-8/);
  const list = avroDecoder('{"type":"record","name":"L","fields":[{"name":"n","type":["null","L"]}]}');
  assert.throws(() => list(Buffer.alloc(100_000, 2), 0), /nested deeper/);
});

test('a block with a negative count has its size in bytes before its items', () => {
  assert.deepEqual(avroDecoder('{"type":"array","items":"int"}')(Buffer.of(3, 4, 2, 4, 0), 0), [1, 2]);
});

test('decimals are text with all their digits', () => {
  const decimal = avroDecoder('{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}');
  assert.equal(decimal(Buffer.of(4, 0x04, 0xe2), 0), '12.50');
  assert.equal(unscaledText(Buffer.of(0xff), 2), '-0.01');
  assert.equal(unscaledText(Buffer.of(0x80), 0), '-128');
  assert.equal(unscaledText(Buffer.alloc(0), 3), '0.000');
});

test('names that objects inherit are fields like any other', () => {
  const value = avroDecoder('{"type":"record","name":"R","fields":[{"name":"__proto__","type":"int"}]}')(
    Buffer.of(2),
    0,
  );
  assert.deepEqual(Object.entries(value as object), [['__proto__', 1]]);
});

for (const text of [
  '{',
  '"Unknown"',
  '7',
  '{"type":"record","name":"R"}',
  '{"type":"enum","name":"E"}',
  '{"type":{}}',
]) {
  test(`the schema ${text} is refused`, () => {
    assert.throws(() => avroDecoder(text), AvroDecodeError);
  });
}
