import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatAge,
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  formatTime,
} from '../../../../src/admin/page/format.js';

test('counts are grouped, rates have a decimal while it says something', () => {
  assert.equal(formatCount(1234567), '1,234,567');
  assert.equal(formatRate(0), '0');
  assert.equal(formatRate(0.44), '0.4');
  assert.equal(formatRate(9.94), '9.9');
  assert.equal(formatRate(9.96), '10');
  assert.equal(formatRate(12345.6), '12,346');
});

test('bytes get the unit in which they are below 1024', () => {
  const cases: [number | null, string][] = [
    [null, '–'],
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 * 1024 - 1, '1.0 MiB'],
    [150 * 1024 * 1024, '150 MiB'],
    [2.25 * 1024 ** 3, '2.3 GiB'],
    [1024 ** 6, '1,024 PiB'],
  ];
  for (const [bytes, text] of cases) assert.equal(formatBytes(bytes), text, String(bytes));
});

test('durations get their two largest units', () => {
  const cases: [number | null, string][] = [
    [null, '–'],
    [0, '0 s'],
    [0.04, '0.1 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [150, '2 min 30 s'],
    [3_599, '59 min'],
    [3_600, '1 h'],
    [7_320, '2 h 2 min'],
    [90_000, '1 d 1 h'],
  ];
  for (const [seconds, text] of cases) assert.equal(formatSeconds(seconds), text, String(seconds));
  assert.equal(formatAge(999), '0 s');
  assert.equal(formatAge(-5_000), '0 s', 'a clock that is a little behind');
});

test('a time of another day has its date', () => {
  const noon = new Date(2026, 0, 2, 12, 3, 4).getTime();
  assert.equal(formatTime(noon, noon + 60_000), '12:03:04');
  assert.equal(formatTime(noon, noon + 86_400_000), '2026-01-02 12:03:04');
});
