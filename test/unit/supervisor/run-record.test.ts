import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunRecord } from '../../../src/supervisor/run-record.ts';

const SECOND_US = 1_000_000;
const NOW_US = 1_700_000_000 * SECOND_US;
const PROGRESS = {
  position: '1',
  publishedCommitUs: NOW_US - 60 * SECOND_US,
  checkpointedAtMs: 0,
  caughtUp: true,
  reachedStart: true,
  changes: 1,
  inFlightBytes: 0,
  retainedWalBytes: null,
};

test('a source that is no longer caught up lags since it was', () => {
  const record = new RunRecord();
  record.add(PROGRESS, NOW_US);
  assert.equal(record.lagSeconds(NOW_US), 0);
  record.endAttempt();
  assert.equal(record.lagSeconds(NOW_US + 5 * SECOND_US), 5);
});

test('a clock that is set back does not hide the lag that follows', () => {
  const record = new RunRecord();
  record.add(PROGRESS, NOW_US + 7_200 * SECOND_US);
  record.endAttempt();
  assert.equal(record.lagSeconds(NOW_US), 0);
  assert.equal(record.lagSeconds(NOW_US + 5 * SECOND_US), 5);
});
