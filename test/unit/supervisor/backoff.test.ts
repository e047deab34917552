import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_BACKOFF, pauseAfter } from '../../../src/supervisor/backoff.ts';

test('the bound doubles from 500 ms up to a minute', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 14].map((failures) => pauseAfter(failures, 1).pauseMs);
  assert.deepEqual(bounds, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
});

test('jitter is full: the pause is the random share of the bound', () => {
  assert.equal(pauseAfter(4, 0).pauseMs, 0);
  assert.equal(pauseAfter(4, 0.25).pauseMs, 1_000);
});

test('after many failures the circuit opens and pauses are longer than any before', () => {
  assert.equal(pauseAfter(14, 0.99).circuitOpen, false);
  assert.deepEqual(pauseAfter(15, 0), { pauseMs: 90_000, circuitOpen: true });
  assert.deepEqual(pauseAfter(15, 1), { pauseMs: 180_000, circuitOpen: true });
});

test('any number of failures gives a finite pause within its bounds', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const { pauseMs, circuitOpen } = pauseAfter(failures, random);
        assert.ok(Number.isSafeInteger(pauseMs) && pauseMs >= 0);
        assert.ok(pauseMs <= (circuitOpen ? DEFAULT_BACKOFF.openPauseMs : DEFAULT_BACKOFF.capMs));
      },
    ),
  );
});
