import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ratePaths, scaleTop } from '../../../../src/admin/page/rate-chart.js';
import { RateHistory } from '../../../../src/admin/page/rate-history.js';

const FRAME = { nowMs: 10_000, windowMs: 10_000, top: 100, width: 300, height: 40, gapMs: 3_000 };

test('the newest sample is at the right edge, 0 at the bottom, the top at the top', () => {
  const samples = [
    { atMs: 5_000, value: 0 },
    { atMs: 7_500, value: 100 },
    { atMs: 10_000, value: 50 },
  ];
  const { line, area } = ratePaths(samples, FRAME);
  assert.equal(line, 'M150 40L225 0L300 20');
  assert.equal(area, 'M150 40L225 0L300 20V40H150Z');
});

test('what is outside of the window or the scale stays inside of the chart', () => {
  const samples = [
    { atMs: -1_000, value: 50 },
    { atMs: 1_000, value: 500 },
  ];
  assert.equal(ratePaths(samples, FRAME).line, 'M0 20L30 0');
});

test('nothing is drawn where nobody looked, and a lone sample is a dot', () => {
  const samples = [
    { atMs: 0, value: 100 },
    { atMs: 5_000, value: 50 },
    { atMs: 8_000, value: 50 },
  ];
  assert.equal(ratePaths(samples, FRAME).line, 'M0 0h0M150 20L240 20');
  assert.deepEqual(ratePaths([], FRAME), { line: '', area: '' });
});

test('the scale goes in steps of 1, 2 and 5', () => {
  const cases = [0, 0.3, 1, 1.1, 2, 3, 5, 5.1, 10, 12, 99, 200, 201, 1_000, 123_456];
  assert.deepEqual(cases.map(scaleTop), [1, 1, 1, 2, 2, 5, 5, 10, 10, 20, 100, 200, 500, 1_000, 200_000]);
});

test('a history forgets what lies before its window, but for the sample at its edge', () => {
  const history = new RateHistory(1_000);
  for (let at = 0; at <= 5_000; at += 250) history.add(at, at);
  assert.deepEqual(
    history.samples.map(({ atMs }) => atMs),
    [4_000, 4_250, 4_500, 4_750, 5_000],
  );
  assert.equal(history.peak, 5_000);
  history.add(9_000, 1);
  assert.deepEqual(
    history.samples.map(({ atMs }) => atMs),
    [5_000, 9_000],
  );
});

test('growth is that of the last while, and unknown after a fall or a clock that was set back', () => {
  const history = new RateHistory(60_000);
  assert.equal(history.growthPerSecond(10_000), null);
  history.add(0, 0);
  history.add(500, 400);
  assert.equal(history.growthPerSecond(10_000), null, 'half a second says nothing');
  history.add(20_000, 1_000);
  history.add(30_000, 3_000);
  assert.equal(history.growthPerSecond(10_000), 200);
  assert.equal(history.growthPerSecond(60_000), 100);
  history.add(31_000, 5);
  assert.equal(history.growthPerSecond(10_000), null);
  history.add(1_000, 7);
  assert.deepEqual(history.samples, [{ atMs: 1_000, value: 7 }]);
});
