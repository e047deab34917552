import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { murmur2, partitionOfKey, partitionOfKeyless } from '../../../src/kafka/murmur2.ts';

/** From `UtilsTest.testMurmur2` of Kafka's Java client. */
const JAVA_VECTORS: readonly (readonly [text: string, hash: number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

test('murmur2 gives the hashes of the Java client', () => {
  for (const [text, hash] of JAVA_VECTORS) {
    const bytes = Buffer.from(`<<${text}>>`);
    assert.equal(murmur2(bytes, 2, bytes.length - 2), hash, text);
  }
});

test('murmur2 agrees with the one of kafkajs for any bytes', () => {
  const kafkajs = createRequire(import.meta.url)('kafkajs/src/producer/partitioners/default/murmur2.js') as (
    key: Buffer,
  ) => number;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (key) => {
      assert.equal(murmur2(key, 0, key.length), kafkajs(Buffer.from(key)) | 0);
    }),
  );
});

test('a key has the partition of the Java client, also where the hash is negative', () => {
  const key = Buffer.from('foobar');
  assert.equal(partitionOfKey(key, 0, key.length, 7), (-790332482 & 0x7fffffff) % 7);
  assert.equal(partitionOfKey(key, 0, key.length, 1), 0);
});

test('records without key have one partition per topic, whatever the process', () => {
  assert.equal(partitionOfKeyless('foobar', 7), (-790332482 & 0x7fffffff) % 7);
});
