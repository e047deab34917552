import { formatAge, formatCount, formatRate } from './format.js';

/** @import { SnapshotStatus, SnapshotTableStatus } from '../../core/snapshot-status.ts' */

/** @param {SnapshotStatus} snapshot */
export function isUnderWay({ state }) {
  return state !== 'completed' && state !== 'stopped';
}

/** @param {SnapshotStatus} snapshot */
export function rowsOf({ tables }) {
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}

/**
 * How much of a table is read, from 0 to 1; null where nobody knows. Estimates are what they are: only a table that is done
 * is at 1.
 * @param {SnapshotTableStatus} table
 */
export function fractionOf({ done, rows, estimated_rows }) {
  if (done) return 1;
  if (estimated_rows === null || estimated_rows <= 0) return rows === 0 ? 0 : null;
  return Math.min(rows / estimated_rows, 0.99);
}

/** @param {SnapshotTableStatus} table */
export function describeRows({ done, rows, estimated_rows }) {
  if (done) return formatCount(rows);
  return estimated_rows === null
    ? `${formatCount(rows)}, total unknown`
    : `${formatCount(rows)} of about ${formatCount(Math.max(rows, estimated_rows))}`;
}

/**
 * Seconds until all tables are read at this pace; null where an estimate is missing or used up, or nothing moves.
 * @param {SnapshotStatus} snapshot
 * @param {number | null} rowsPerSecond
 */
export function secondsLeft({ tables }, rowsPerSecond) {
  if (rowsPerSecond === null || rowsPerSecond <= 0) return null;
  let left = 0;
  for (const { done, rows, estimated_rows } of tables) {
    if (done) continue;
    if (estimated_rows === null || estimated_rows <= rows) return null;
    left += estimated_rows - rows;
  }
  return left / rowsPerSecond;
}

/**
 * One line: `running, 1 of 3 tables, 48,200 rows, 12,000 rows/s, about 2 min left`.
 * @param {SnapshotStatus} snapshot
 * @param {number | null} rowsPerSecond
 * @param {number} nowMs by the clock of the daemon
 */
export function describeSnapshot(snapshot, rowsPerSecond, nowMs) {
  const { state, waiting_for, tables, ended_at } = snapshot;
  const done = tables.filter((table) => table.done).length;
  const parts = [`${done} of ${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`];
  parts.push(`${formatCount(rowsOf(snapshot))} rows`);
  if (!isUnderWay(snapshot)) {
    const when = ended_at === null ? '' : ` ${formatAge(nowMs - Date.parse(ended_at))} ago`;
    return [`${state}${when}`, ...parts].join(', ');
  }
  if (state === 'running' && waiting_for === null && rowsPerSecond !== null) {
    parts.push(`${formatRate(rowsPerSecond)} rows/s`);
    const left = secondsLeft(snapshot, rowsPerSecond);
    if (left !== null) parts.push(`about ${formatAge(left * 1000)} left`);
  }
  return [state, ...parts].join(', ');
}
