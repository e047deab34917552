import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RateWindow } from '../../../src/supervisor/rate-window.ts';

const START_MS = 1_700_000_000_000;

test('a steady stream has its rate, also while young', () => {
  const rate = new RateWindow();
  for (let tenth = 0; tenth <= 300; tenth += 1) {
    rate.add(START_MS + tenth * 100, 5);
    if (tenth >= 10) assert.ok(Math.abs(rate.perSecond(START_MS + tenth * 100) - 50) <= 5.1, `after ${tenth * 100} ms`);
  }
});

test('nothing for the length of the window gives 0', () => {
  const rate = new RateWindow();
  assert.equal(rate.perSecond(START_MS), 0);
  rate.add(START_MS, 1_000);
  assert.ok(rate.perSecond(START_MS + 5_000) > 0);
  assert.equal(rate.perSecond(START_MS + 11_000), 0);
});

test('a clock that was set back begins again instead of giving nonsense', () => {
  const rate = new RateWindow();
  rate.add(START_MS, 1_000);
  rate.add(START_MS - 3_600_000, 3);
  assert.equal(rate.perSecond(START_MS - 3_600_000 + 500), 3);
});

test('it counts no event outside of the window and loses none inside of it', () => {
  const step = fc.record({ passMs: fc.integer({ min: 0, max: 4_000 }), events: fc.integer({ min: 0, max: 100 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const rate = new RateWindow();
      const all: { atMs: number; events: number }[] = [];
      let nowMs = START_MS;
      for (const { passMs, events } of steps) {
        nowMs += passMs;
        rate.add(nowMs, events);
        all.push({ atMs: nowMs, events });
        const within = (ms: number) =>
          all.filter(({ atMs }) => atMs > nowMs - ms).reduce((sum, each) => sum + each.events, 0);
        const perSecond = rate.perSecond(nowMs);
        assert.ok(perSecond >= within(10_000) / 11 - 1e-9);
        assert.ok(perSecond <= within(11_000) + 1e-9);
      }
    }),
  );
});
