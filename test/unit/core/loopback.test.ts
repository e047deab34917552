import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../../src/core/loopback.ts';

test('the loopback is known by each of its names, and nothing else is', () => {
  for (const host of ['localhost', 'LOCALHOST', '127.0.0.1', '127.1.2.3', '::1', '[::1]', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'db',
    '1127.0.0.1',
  ]) {
    assert.ok(!isLoopback(host), host);
  }
});
