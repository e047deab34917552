import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Notification } from '../../../../src/core/notification.ts';
import type { RowKey } from '../../../../src/core/snapshot.ts';
import type { SnapshotProgress, TableProgress } from '../../../../src/core/snapshot-progress.ts';
import { SnapshotNotices } from '../../../../src/pipeline/snapshot/snapshot-notices.ts';
import { SnapshotRounds } from '../../../../src/pipeline/snapshot/snapshot-rounds.ts';
import { decode } from '../../../support/golden-comparison.ts';
import { goldenTopics } from '../../../support/golden-topics.ts';

/** What a snapshot cannot know here: chunks are as large as time allows, and nobody asks for the last key. */
const NOT_TOLD = new Set(['chunk_index', 'total_chunks', 'maximum_key']);

interface GoldenValue {
  readonly id: string;
  readonly type: string;
  readonly aggregate_type: string;
  readonly additional_data: Readonly<Record<string, string>>;
}

function golden(): Notification[] {
  const topic = goldenTopics('pg_incr').find(({ topic: name }) => name === 'pg_incr.notifications')!;
  return topic.records.map(({ value, valueSchema }) => {
    const { id, type, aggregate_type, additional_data } = decode(value, valueSchema) as unknown as GoldenValue;
    const told = Object.entries(additional_data).filter(([name]) => !NOT_TOLD.has(name));
    return { id, type, aggregateType: aggregate_type, additionalData: Object.fromEntries(told) } as Notification;
  });
}

function toRead(table: string, estimatedRows: number): TableProgress {
  const ranges = [{ after: null, upTo: null, isDone: false }];
  return { table, key: ['id'], filter: null, estimatedRows, rows: 0, ranges, again: [] };
}

/** Reads chunks of (rows, last key) as the rounds would, and gives what is told of them. */
function tell(
  progress: SnapshotProgress,
  chunks: readonly (readonly [rows: number, last: RowKey, isDone?: boolean])[],
) {
  const told: Notification[] = [];
  const notices = new SnapshotNotices('pg_incr', (notification) => told.push(notification));
  const rounds = new SnapshotRounds(progress);
  notices.started(progress);
  for (const [rows, last, isDone = false] of chunks) {
    const before = rounds.progress;
    const next = rounds.nextChunks(1);
    rounds.open(next);
    rounds.ended(next[0]!, { last, isDone }, rows);
    rounds.close();
    notices.advanced(before, rounds.progress);
  }
  notices.completed(rounds.progress);
  return told;
}

const BEGUN = { id: 'made up', isPaused: false, startedAtMs: 0 };

describe('SnapshotNotices', () => {
  it('tells of an incremental snapshot what Debezium told of the same chunks', () => {
    const progress: SnapshotProgress = {
      ...BEGUN,
      kind: 'incremental',
      signalId: 'sig-1',
      tables: [toRead('inv.composite', 3), toRead('inv.t_text', 8)],
    };
    const told = tell(progress, [
      [2, ['b', '2']],
      [1, ['z', '9'], true],
      [2, ['2']],
      [2, ['4']],
      [2, ['1002']],
      [2, ['2000'], true],
    ]);
    const recorded = golden().filter(({ id }) => id === 'sig-1');
    assert.equal(recorded.length, 11);
    assert.deepEqual(told, recorded);
  });

  it('tells of a blocking snapshot what Debezium told, with an id for each', () => {
    const progress: SnapshotProgress = {
      ...BEGUN,
      kind: 'initial',
      signalId: 'sig-2',
      tables: [toRead('inv.composite', 4)],
    };
    const told = tell(progress, [
      [3, ['b']],
      [1, ['z'], true],
    ]);
    const recorded = golden().filter(
      ({ type, aggregateType }) => aggregateType === 'Initial Snapshot' && type !== 'SKIPPED',
    );
    const withoutId = ({ id: _, ...rest }: Notification) => rest;
    assert.deepEqual(told.map(withoutId), recorded.map(withoutId));
    assert.equal(new Set(told.map(({ id }) => id)).size, told.length);
  });

  it('tells of a start with nothing to read, of pauses and of ends before the end', () => {
    const told: Notification[] = [];
    const notices = new SnapshotNotices('pg_incr', (notification) => told.push(notification));
    notices.skipped();
    const [skipped] = golden();
    assert.deepEqual({ ...told.pop(), id: '' }, { ...skipped, id: '' });
    const tables = [
      { ...toRead('inv.a', 1), ranges: [{ after: ['1'], upTo: null, isDone: true }] },
      toRead('inv.b', 1),
    ];
    const progress: SnapshotProgress = { ...BEGUN, kind: 'incremental', tables };
    notices.paused({ ...progress, isPaused: true });
    notices.paused(progress);
    notices.aborted(progress, ['inv.b']);
    notices.aborted(progress, null);
    assert.deepEqual(
      told.map(({ id, type, additionalData }) => [id, type, additionalData.data_collections]),
      [
        ['made up', 'PAUSED', 'inv.b'],
        ['made up', 'RESUMED', 'inv.b'],
        ['made up', 'ABORTED', 'inv.b'],
        ['made up', 'ABORTED', undefined],
      ],
    );
  });

  it('says of a table without rows that it is empty, once', () => {
    const rounds = new SnapshotRounds({ ...BEGUN, kind: 'incremental', tables: [toRead('inv.a', 0)] });
    const told: Notification[] = [];
    const notices = new SnapshotNotices('pg_incr', (notification) => told.push(notification));
    const before = rounds.progress;
    rounds.ended(rounds.nextChunks(1)[0]!, { last: null, isDone: true }, 0);
    notices.advanced(before, rounds.progress);
    notices.advanced(rounds.progress, rounds.progress);
    assert.deepEqual(
      told.map(({ type, additionalData }) => [type, additionalData.status]),
      [['TABLE_SCAN_COMPLETED', 'EMPTY']],
    );
  });
});
