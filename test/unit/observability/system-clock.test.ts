import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SystemClock } from '../../../src/observability/system-clock.ts';

class FakeTime {
  wall = 1_700_000_000_000;
  monotonic = 12.5;
  wallMs = () => Math.floor(this.wall);
  monotonicMs = () => this.monotonic;

  pass(ms: number): void {
    this.wall += ms;
    this.monotonic += ms;
  }
}

test('microseconds pass between milliseconds', () => {
  const time = new FakeTime();
  const clock = new SystemClock(time);
  const start = clock.nowUs();
  time.pass(0.25);
  assert.equal(clock.nowUs() - start, 250);
  assert.equal(clock.nowMs(), 1_700_000_000_000);
});

test('it follows the wall clock when that is set or the machine slept', () => {
  const time = new FakeTime();
  const clock = new SystemClock(time);
  clock.nowUs();
  time.wall += 3_600_000;
  assert.equal(clock.nowUs(), time.wall * 1000);
  time.wall -= 7_200_000;
  assert.equal(clock.nowUs(), time.wall * 1000);
});

test('small steps back are held until time has caught up', () => {
  const time = new FakeTime();
  const clock = new SystemClock(time);
  const before = clock.nowUs();
  time.wall -= 300;
  assert.equal(clock.nowUs(), before);
  time.pass(301);
  assert.ok(clock.nowUs() > before);
});

test('under any small steps it is a safe integer, never goes back and stays near the wall clock', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.double({ min: 0, max: 50, noNaN: true }), fc.integer({ min: -20, max: 20 }))),
      (steps) => {
        const time = new FakeTime();
        const clock = new SystemClock(time);
        let last = clock.nowUs();
        let highest = time.wall;
        for (const [passed, step] of steps) {
          time.pass(passed);
          time.wall += step;
          highest = Math.max(highest, time.wall);
          const now = clock.nowUs();
          assert.ok(Number.isSafeInteger(now));
          assert.ok(now >= last);
          assert.ok(now >= time.wall * 1000 - 7_000 && now <= highest * 1000 + 7_000);
          last = now;
        }
      },
    ),
  );
});

test('the real clock agrees with Date', () => {
  const clock = new SystemClock();
  assert.ok(Math.abs(clock.nowUs() / 1000 - Date.now()) < 50);
});

test('sleep ends after its time, or rejects with the reason of the abort', async () => {
  const clock = new SystemClock();
  await clock.sleep(1, new AbortController().signal);
  const reason = new Error('stopping');
  const controller = new AbortController();
  const sleeping = clock.sleep(60_000, controller.signal);
  controller.abort(reason);
  await assert.rejects(sleeping, (error) => error === reason);
  await assert.rejects(clock.sleep(1, controller.signal), (error) => error === reason);
});
