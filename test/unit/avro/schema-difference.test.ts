import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeDifference } from '../../../src/avro/schema-difference.ts';

const record = (name: string, fields: readonly unknown[]) => ({ type: 'record', name, fields });
const envelope = (fields: readonly unknown[]) =>
  JSON.stringify(
    record('Envelope', [
      { name: 'before', type: ['null', record('Value', fields)], default: null },
      { name: 'after', type: ['null', 'Value'], default: null },
    ]),
  );

test('names what is new, gone and of another type in an envelope', () => {
  const decimal = { type: 'bytes', 'connect.name': 'org.apache.kafka.connect.data.Decimal', scale: 2 };
  const old = envelope([
    { name: 'id', type: 'int' },
    { name: 'amount', type: ['null', 'int'], default: null },
    { name: 'price', type: decimal },
    { name: 'note', type: 'string' },
  ]);
  const changed = envelope([
    { name: 'id', type: 'int' },
    { name: 'amount', type: ['null', 'string'], default: null },
    { name: 'price', type: { ...decimal, scale: 3 } },
    { name: 'a', type: 'int' },
    { name: 'b', type: ['null', 'int'], default: null },
  ]);
  assert.deepEqual(describeDifference(old, changed), [
    'field amount was int (optional) and is string (optional)',
    'field price (bytes org.apache.kafka.connect.data.Decimal) has other parameters',
    'field a is new and has no default',
    'field b is new',
    'field note is gone',
  ]);
});

test('a key is its own row; the same schema has no difference', () => {
  const key = (type: string) => JSON.stringify(record('Key', [{ name: 'id', type }]));
  assert.deepEqual(describeDifference(key('int'), key('long')), ['field id was int and is long']);
  assert.deepEqual(describeDifference(key('int'), key('int')), []);
  assert.deepEqual(describeDifference('"string"', '"string"'), []);
});
