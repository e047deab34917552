import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  describeRows,
  describeSnapshot,
  fractionOf,
  secondsLeft,
} from '../../../../src/admin/page/snapshot-progress.js';
import type { SnapshotStatus, SnapshotTableStatus } from '../../../../src/core/snapshot-status.ts';

const table = (rows: number, estimated_rows: number | null, done = false): SnapshotTableStatus => ({
  table: 'public.t',
  rows,
  estimated_rows,
  done,
});
const snapshot = (more: Partial<SnapshotStatus>): SnapshotStatus => ({
  state: 'running',
  waiting_for: null,
  started_at: '2026-01-02T03:04:00.000Z',
  ended_at: null,
  tables: [table(100, 90, true), table(50, 200), table(0, 100)],
  ...more,
});
const NOW = Date.parse('2026-01-02T03:05:00.000Z');

test('only a table that is done is at 100 %', () => {
  assert.equal(fractionOf(table(50, 200)), 0.25);
  assert.equal(fractionOf(table(300, 200)), 0.99);
  assert.equal(fractionOf(table(300, 200, true)), 1);
  assert.equal(fractionOf(table(0, null)), 0);
  assert.equal(fractionOf(table(5, null)), null);
  assert.equal(fractionOf(table(5, 0)), null);
});

test('rows stand beside an estimate that they cannot exceed', () => {
  assert.equal(describeRows(table(1_000, 2_000)), '1,000 of about 2,000');
  assert.equal(describeRows(table(2_500, 2_000)), '2,500 of about 2,500');
  assert.equal(describeRows(table(2_500, 2_000, true)), '2,500');
  assert.equal(describeRows(table(7, null)), '7, total unknown');
});

test('the time left is told where every estimate holds', () => {
  assert.equal(secondsLeft(snapshot({}), 50), 5);
  assert.equal(secondsLeft(snapshot({}), 0), null);
  assert.equal(secondsLeft(snapshot({}), null), null);
  assert.equal(secondsLeft(snapshot({ tables: [table(5, null)] }), 50), null);
  assert.equal(secondsLeft(snapshot({ tables: [table(5, 5)] }), 50), null);
  assert.equal(secondsLeft(snapshot({ tables: [table(5, null, true)] }), 50), 0);
});

test('one line says how it goes', () => {
  assert.equal(
    describeSnapshot(snapshot({}), 2, NOW),
    'running, 1 of 3 tables, 150 rows, 2.0 rows/s, about 2 min 5 s left',
  );
  assert.equal(describeSnapshot(snapshot({}), null, NOW), 'running, 1 of 3 tables, 150 rows');
  assert.equal(describeSnapshot(snapshot({ waiting_for: 'a lock' }), 9, NOW), 'running, 1 of 3 tables, 150 rows');
  assert.equal(describeSnapshot(snapshot({ state: 'paused' }), 9, NOW), 'paused, 1 of 3 tables, 150 rows');
  const end = { state: 'completed', ended_at: '2026-01-02T03:04:50.000Z', tables: [table(5, 5, true)] } as const;
  assert.equal(describeSnapshot(snapshot(end), 9, NOW), 'completed 10 s ago, 1 of 1 table, 5 rows');
});
