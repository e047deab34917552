import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hash128 } from '../../../src/verify/hash-128.ts';

function hex(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const out = new Int32Array(6);
  hash128(bytes, start, end, out, 1);
  assert.deepEqual([out[0], out[5]], [0, 0], 'only four words are written');
  return [...out.subarray(1, 5)].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

test('is the published hash of a known text', () => {
  assert.equal(hex(Buffer.from('The quick brown fox jumps over the lazy dog')), '2f1583c3ecee2c675d7bf66ce5e91d2c');
  assert.equal(hex(Buffer.alloc(0)), '00000000000000000000000000000000');
});

test('depends on every byte and on the length, at every length, wherever the bytes lie', () => {
  const seen = new Set<string>();
  const bytes = Buffer.alloc(70, 7);
  let expected = 0;
  for (let length = 1; length <= 64; length++) {
    seen.add(hex(bytes, 3, 3 + length));
    expected += 1;
    for (let changed = 3; changed < 3 + length; changed++) {
      bytes[changed] = 8;
      seen.add(hex(bytes, 3, 3 + length));
      bytes[changed] = 7;
      expected += 1;
    }
    bytes[2] = 1;
    bytes[3 + length] = 1;
    assert.ok(seen.has(hex(bytes, 3, 3 + length)), 'bytes around it do not matter');
    bytes[2] = 7;
    bytes[3 + length] = 7;
  }
  assert.equal(seen.size, expected);
});
