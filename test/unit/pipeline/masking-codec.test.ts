import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import { constantMask, hashMask, propagatedSourceType, truncation } from '../../../src/pipeline/masking-codec.ts';
import { StringCapture } from '../../../src/pipeline/string-capture.ts';

const TEXT: ColumnCodec = {
  schema: { type: 'string' },
  write: (bytes, start, end, out) => {
    out.utf8(bytes, start, end);
    return true;
  },
  writeUnavailable: (out) => out.text('__debezium_unavailable_value'),
  writeFallback: (out) => out.text(''),
};
const VARCHAR = (length: number | null) => ({ typeName: 'VARCHAR', length, scale: 0 });

function written(codec: ColumnCodec, value: string): string {
  const capture = new StringCapture();
  const bytes = Buffer.from(`<${value}>`, 'utf8');
  assert.equal(codec.write(bytes, 1, bytes.length - 1, capture), true);
  return capture.value;
}

test('a constant mask hides every value, also those that the log did not carry', () => {
  const masked = constantMask(TEXT, '*****');
  assert.equal(written(masked, 'secret'), '*****');
  const capture = new StringCapture();
  masked.writeFallback(capture);
  assert.equal(capture.value, '*****');
  masked.writeUnavailable(capture);
  assert.equal(capture.value, '*****');
  assert.deepEqual(masked.schema.parameters, [['masked', 'true']]);
});

test('a hash is the hexadecimal digest of salt and value, cut to the length of the column', () => {
  const digest = createHash('sha256').update('SALTvalue é').digest('hex');
  assert.equal(written(hashMask(TEXT, 'sha256', new Secret('SALT'), VARCHAR(null)), 'value é'), digest);
  assert.equal(written(hashMask(TEXT, 'sha256', new Secret('SALT'), VARCHAR(10)), 'value é'), digest.slice(0, 10));
});

test('truncation counts UTF-16 units and never splits a character', () => {
  const cut = truncation(TEXT, 3);
  assert.equal(written(cut, 'abcdef'), 'abc');
  assert.equal(written(cut, 'ab'), 'ab');
  assert.equal(written(cut, '漢字漢字'), '漢字漢');
  assert.equal(written(cut, 'ab😀'), 'ab');
  assert.equal(written(cut, 'a😀b'), 'a😀');
  assert.deepEqual(cut.schema.parameters, [['truncateLength', '3']]);
});

test('a propagated type comes after the parameters of the type itself', () => {
  const decimal: ColumnCodec = { ...TEXT, schema: { type: 'bytes', parameters: [['scale', '2']] } };
  const codec = propagatedSourceType(decimal, 'n', { typeName: 'NUMERIC', length: 10, scale: 2 });
  assert.deepEqual(codec.schema.parameters, [
    ['scale', '2'],
    ['__debezium.source.column.type', 'NUMERIC'],
    ['__debezium.source.column.length', '10'],
    ['__debezium.source.column.scale', '2'],
    ['__debezium.source.column.name', 'n'],
  ]);
});
