import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordDecoder } from '../../../src/app/record-decoder.ts';
import { AvroDecodeError } from '../../../src/avro/avro-reader.ts';

const framed = (id: number, ...bytes: number[]) => Buffer.from([0, 0, 0, 0, id, ...bytes]);

test('values are read by the schema whose id they carry, asked for once', async () => {
  const asked: number[] = [];
  const decoder = new RecordDecoder(async (id) => {
    asked.push(id);
    return { type: 'AVRO', text: '{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}' };
  });
  const values = await Promise.all([decoder.decode(framed(7, 4)), decoder.decode(framed(7, 1))]);
  assert.deepEqual(values, [{ n: 2n }, { n: -1n }]);
  assert.deepEqual(asked, [7]);
});

test('what carries no schema id is JSON, text or bytes', async () => {
  const decoder = new RecordDecoder(() => assert.fail('nothing to ask for'));
  assert.equal(await decoder.decode(null), null);
  assert.deepEqual(await decoder.decode(Buffer.from('{"a":1}')), { a: 1 });
  assert.equal(await decoder.decode(Buffer.from('{ not JSON')), '{ not JSON');
  assert.equal(await decoder.decode(Buffer.from('plain')), 'plain');
  assert.deepEqual(await decoder.decode(Buffer.of(0xff, 1)), Buffer.of(0xff, 1));
});

test('schemas that are missing or not Avro, and bytes that are not theirs, are refused', async () => {
  const decoder = new RecordDecoder(async (id) =>
    id === 1 ? null : { type: id === 2 ? 'JSON' : 'AVRO', text: '"long"' },
  );
  await assert.rejects(
    decoder.decode(framed(1, 2)),
    (error) => error instanceof AvroDecodeError && /schema 1/.test(error.message),
  );
  await assert.rejects(
    decoder.decode(framed(2, 2)),
    (error) => error instanceof AvroDecodeError && /JSON/.test(error.message),
  );
  await assert.rejects(decoder.decode(framed(3)), AvroDecodeError);
});
