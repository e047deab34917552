import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatByteSize, parseByteSize } from '../../../src/config/byte-size.ts';
import { closest } from '../../../src/config/closest.ts';
import { formatDuration, parseDuration } from '../../../src/config/duration.ts';

describe('durations', () => {
  const CASES: [string, number | null][] = [
    ['500ms', 500],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['2 h', 7_200_000],
    ['1d', 86_400_000],
    ['0s', 0],
    ['5', null],
    ['5 sec', null],
    ['-5s', null],
    ['1.0001ms', null],
    ['1e3s', null],
    ['', null],
    ['9007199254740993ms', null],
  ];
  for (const [text, expected] of CASES) {
    it(`${JSON.stringify(text)} is ${expected}`, () => assert.equal(parseDuration(text), expected));
  }
  it('are read back as they were written', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(formatDuration(ms)) === ms));
    assert.equal(formatDuration(90_000), '90s');
  });
});

describe('sizes', () => {
  const CASES: [string, number | null][] = [
    ['512B', 512],
    ['64KiB', 65_536],
    ['1.5MiB', 1_572_864],
    ['1GiB', 1_073_741_824],
    ['1MB', 1_000_000],
    ['2 kB', 2000],
    ['32', null],
    ['1mib', null],
    ['0.3B', null],
    ['-1KiB', null],
  ];
  for (const [text, expected] of CASES) {
    it(`${JSON.stringify(text)} is ${expected}`, () => assert.equal(parseByteSize(text), expected));
  }
  it('are read back as they were written', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseByteSize(formatByteSize(bytes)) === bytes));
    assert.equal(formatByteSize(32 * 2 ** 20), '32MiB');
  });
});

describe('suggestions', () => {
  const NAMES = ['brokers', 'compression', 'topic_prefix', 'tls'];
  const CASES: [string, string | null][] = [
    ['broker', 'brokers'],
    ['topicPrefix', 'topic_prefix'],
    ['compresion', 'compression'],
    ['tsl', null],
    ['unrelated', null],
  ];
  for (const [word, expected] of CASES) {
    it(`${word} → ${expected}`, () => assert.equal(closest(word, NAMES), expected));
  }
});
