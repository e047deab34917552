import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  announcement,
  describeAttempts,
  errorRole,
  nextCommand,
  toneOf,
} from '../../../../src/admin/page/source-text.js';
import { SOURCE_STATES, type SourceStateName, type SourceStatus } from '../../../../src/core/source-status.ts';

const SINCE = '2026-01-02T03:04:00.000Z';
const NOW = Date.parse('2026-01-02T03:05:00.000Z');
const source = (state: SourceStateName, more: Partial<SourceStatus> = {}): SourceStatus => ({
  name: 'shop',
  type: 'postgres',
  state,
  since: SINCE,
  position: null,
  lag_seconds: null,
  changes_total: 0,
  changes_per_second: 0,
  in_flight_bytes: 0,
  snapshot: null,
  retained_wal_bytes: null,
  last_error: { code: 'X', message: 'It broke.', remedy: 'Mend it.', at: '2026-01-02T03:03:00.000Z' },
  retry: null,
  ...more,
});

test('only what waits for a person is bad', () => {
  const bad = SOURCE_STATES.filter((state) => toneOf(state) === 'bad');
  assert.deepEqual(bad, ['resync-required', 'failed']);
  assert.equal(toneOf('of-a-newer-daemon' as SourceStateName), 'warn');
});

test('an error stands while the source does', () => {
  assert.equal(errorRole(source('failed', { last_error: null })), null);
  for (const state of ['failed', 'resync-required', 'backing-off', 'starting'] as const) {
    assert.equal(errorRole(source(state)), 'standing', state);
  }
  for (const state of ['streaming', 'snapshotting', 'paused', 'stopped'] as const) {
    assert.equal(errorRole(source(state)), 'past', state);
  }
  const last_error = { code: 'REGISTRY_UNREACHABLE', message: '', remedy: '', at: SINCE };
  assert.equal(errorRole(source('streaming', { last_error })), 'recent', 'it may wait because of it');
});

test('attempts say when the next is', () => {
  assert.match(describeAttempts(source('failed'), NOW), /^.*, 2 min ago$/);
  const retry = { failures: 4, circuit_open: false, next_attempt_at: '2026-01-02T03:05:11.500Z' };
  const text = describeAttempts(source('backing-off', { retry }), NOW);
  assert.match(text, / · 4 attempts in a row have failed · the next is in 12 s$/);
  const due = describeAttempts(source('backing-off', { retry: { ...retry, failures: 1 } }), NOW + 60_000);
  assert.match(due, / · 1 attempt has failed · the next is due$/);
  const running = { ...retry, next_attempt_at: null };
  assert.match(describeAttempts(source('starting', { retry: running }), NOW), / have failed$/);
});

test('where a person decides the command is named', () => {
  assert.equal(nextCommand(source('failed'))?.command, 'tailrace resume shop');
  assert.equal(nextCommand(source('paused'))?.command, 'tailrace resume shop');
  assert.equal(nextCommand(source('resync-required'))?.command, 'tailrace resync shop --confirm shop');
  assert.equal(nextCommand(source('streaming')), null);
  const snapshot = { state: 'paused', waiting_for: null, started_at: SINCE, ended_at: null, tables: [] } as const;
  assert.equal(nextCommand(source('snapshotting', { snapshot }))?.command, 'tailrace snapshot resume shop');
});

test('a move is announced with its reason where there is one', () => {
  assert.equal(announcement(source('failed')), 'shop is now failed: It broke.');
  assert.equal(announcement(source('streaming')), 'shop is now streaming');
});
