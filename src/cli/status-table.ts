import { isSnapshotUnderWay, type SnapshotStatus, type SnapshotTableStatus } from '../core/snapshot-status.ts';
import type { SourceStatus } from '../core/source-status.ts';
import { plainTable } from './plain-table.ts';

const HEADER = ['SOURCE', 'STATE', 'LAG', 'CHANGES/S', 'SNAPSHOT', 'POSITION'];
const BAR_WIDTH = 20;
const COLOURS: Readonly<Record<string, string>> = {
  streaming: '32',
  snapshotting: '36',
  paused: '33',
  starting: '33',
  completed: '32',
};
const BAD_COLOUR = '31';

/** One source a line, and under them what is wrong with which and what to do. */
export function renderStatuses(statuses: readonly SourceStatus[], colour: boolean): string {
  const rows = statuses.map((status) => [
    status.name,
    colour ? `\u001b[${COLOURS[status.state] ?? BAD_COLOUR}m${status.state}\u001b[0m` : status.state,
    renderLag(status.lag_seconds),
    rounded(status.changes_per_second),
    renderProgress(status.snapshot),
    status.position ?? '-',
  ]);
  return [plainTable([HEADER, ...rows]), ...statuses.flatMap(complaints)].join('\n');
}

/** What a source stands still for is news; what it has got over is in the log. */
function complaints({ name, state, last_error, retry }: SourceStatus): string[] {
  if (state === 'completed') {
    return [
      `${name}: All tables are read, and snapshot.mode initial_only streams nothing. To stream on, set snapshot.mode: initial and restart the daemon.`,
    ];
  }
  if (last_error === null || state === 'streaming' || state === 'snapshotting') return [];
  const again = retry?.next_attempt_at ? ` Next attempt at ${retry.next_attempt_at}.` : '';
  return [`${name}: ${last_error.code}: ${sentence(last_error.message)} ${sentence(last_error.remedy)}${again}`];
}

/** The state of a snapshot, and a table a line. */
export function renderSnapshot(snapshot: SnapshotStatus): string {
  const waiting = snapshot.waiting_for === null ? '' : ` (waits for: ${snapshot.waiting_for})`;
  const rows = snapshot.tables.map((each) => [
    each.table,
    renderBar(each),
    `${each.rows}${each.estimated_rows === null ? '' : ` of about ${Math.max(each.rows, each.estimated_rows)}`} rows`,
  ]);
  const head = `${snapshot.state}${waiting}: ${progressOf(snapshot)}`;
  return rows.length === 0 ? head : `${head}\n${plainTable(rows)}`;
}

function renderBar(table: SnapshotTableStatus): string {
  const done = fractionOf(table);
  if (done === null) return `[${'.'.repeat(BAR_WIDTH)}]    ?`;
  const filled = Math.floor(done * BAR_WIDTH);
  const percent = `${Math.floor(done * 100)} %`.padStart(5);
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]${percent}`;
}

/** Estimates are what they are: only a table that is done is at 100 %. */
function fractionOf({ done, rows, estimated_rows }: SnapshotTableStatus): number | null {
  if (done) return 1;
  if (estimated_rows === null || estimated_rows <= 0) return rows === 0 ? 0 : null;
  return Math.min(rows / estimated_rows, 0.99);
}

function renderProgress(snapshot: SnapshotStatus | null): string {
  if (snapshot === null) return '-';
  return isSnapshotUnderWay(snapshot) ? `${snapshot.state}: ${progressOf(snapshot)}` : snapshot.state;
}

function progressOf({ tables }: SnapshotStatus): string {
  const done = tables.filter((table) => table.done).length;
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  return `${done} of ${tables.length} tables, ${rows} rows`;
}

function renderLag(seconds: number | null): string {
  if (seconds === null) return '?';
  if (seconds < 60) return `${rounded(seconds)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}

function rounded(value: number): string {
  return value === 0 ? '0' : value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
