import type { SignalMemory } from '../core/signal.ts';
import type {
  SnapshotHold,
  SnapshotMemory,
  SnapshotProgress,
  TableProgress,
  TableToSweep,
} from '../core/snapshot-progress.ts';
import { isCount, isObject, isText, StoredJson } from './stored-json.ts';

/** Where a source's state keeps how far its snapshots are. */
export const SNAPSHOT_KEY = 'snapshot';

export function encodeSnapshotMemory({
  formatVersion,
  covered,
  isUnaccounted,
  running,
  sweep,
  signals,
}: SnapshotMemory): string {
  return JSON.stringify({ formatVersion, covered, isUnaccounted, running, sweep, signals });
}

/** @throws FatalError for everything that `encodeSnapshotMemory` never gives. */
export function decodeSnapshotMemory(text: string, source: string): SnapshotMemory {
  const json = new StoredJson(text, `the progress of the snapshots of source ${source}`, 1);
  json.only(['covered', 'isUnaccounted', 'running', 'sweep', 'signals']);
  const sweep = json.field('sweep', isSweepOrMissing, 'a list of tables to be searched for');
  const isUnaccounted = json.field('isUnaccounted', isTrueOrMissing, 'true');
  const signals = json.field('signals', isSignalsOrMissing, 'what is known of signals');
  return {
    formatVersion: 1,
    covered: json.field('covered', isTexts, 'a list of tables'),
    ...(isUnaccounted === undefined ? {} : { isUnaccounted }),
    running: json.field('running', isProgressOrNull, 'the progress of a snapshot'),
    ...(sweep === undefined ? {} : { sweep }),
    ...(signals === undefined ? {} : { signals }),
  };
}

function isProgressOrNull(value: unknown): value is SnapshotProgress | null {
  if (value === null) return true;
  if (!isObject(value)) return false;
  const { id, kind, signalId, isPaused, startedAtMs, hold, tables } = value;
  if (!isText(id) || (kind !== 'initial' && kind !== 'incremental') || typeof isPaused !== 'boolean') return false;
  if (signalId !== undefined && !isText(signalId)) return false;
  if (hold !== undefined && !isHold(hold)) return false;
  return isCount(startedAtMs) && (tables === null || (Array.isArray(tables) && tables.every(isTable)));
}

function isSweepOrMissing(value: unknown): value is readonly TableToSweep[] | null | undefined {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) && value.every((each) => isObject(each) && isText(each.table) && isCounts(each.since));
}

function isCounts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCount);
}

function isHold(value: unknown): value is SnapshotHold {
  if (!isObject(value)) return false;
  const { from, oldest, read } = value;
  const isMark = (mark: unknown) => mark === null || isText(mark);
  return from === 'view' || (from === 'start' && isMark(oldest) && isMark(read));
}

function isTable(value: unknown): value is TableProgress {
  if (!isObject(value)) return false;
  const { table, key, filter, estimatedRows, rows, ranges, again } = value;
  return (
    isText(table) &&
    (key === null || isTexts(key)) &&
    (filter === null || isText(filter)) &&
    (estimatedRows === null || isCount(estimatedRows)) &&
    isCount(rows) &&
    Array.isArray(ranges) &&
    ranges.every(isRange) &&
    Array.isArray(again) &&
    again.every(isTexts)
  );
}

function isRange(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { after, upTo, isDone } = value;
  return (after === null || isTexts(after)) && (upTo === null || isTexts(upTo)) && typeof isDone === 'boolean';
}

function isTrueOrMissing(value: unknown): value is true | undefined {
  return value === undefined || value === true;
}

function isSignalsOrMissing(value: unknown): value is SignalMemory | undefined {
  if (value === undefined) return true;
  if (!isObject(value) || !Array.isArray(value.waiting) || !value.waiting.every(isWaiting)) return false;
  if (value.topic === null) return true;
  if (!isObject(value.topic)) return false;
  const { topic, offsets } = value.topic;
  return isText(topic) && Array.isArray(offsets) && offsets.every(isCount);
}

function isWaiting(value: unknown): boolean {
  return isObject(value) && isText(value.id) && isText(value.type) && isText(value.data) && isTexts(value.without);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText);
}
