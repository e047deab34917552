import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeBuffer } from '../../../src/core/free-buffer.ts';

test('the memory of a buffer is given back at once', () => {
  const before = process.memoryUsage().arrayBuffers;
  const buffer = Buffer.allocUnsafeSlow(32 * 1024 * 1024);
  assert.ok(process.memoryUsage().arrayBuffers - before >= 32 * 1024 * 1024);
  freeBuffer(buffer);
  assert.equal(buffer.length, 0);
  assert.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
});

test('a part of something larger is left alone', () => {
  const whole = Buffer.allocUnsafeSlow(100_000).fill(7);
  freeBuffer(whole.subarray(0, 50_000));
  freeBuffer(whole.subarray(1));
  assert.equal(whole.length, 100_000);
  const pooled = Buffer.from('from the pool that all of Node shares');
  freeBuffer(pooled);
  assert.equal(pooled.toString(), 'from the pool that all of Node shares');
});
