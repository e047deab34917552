import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SnapshotReader } from '../../../../src/core/snapshot.ts';
import { AckTracker, type InFlightBatch } from '../../../../src/pipeline/ack-tracker.ts';
import { SnapshotRun, type SnapshotRunParts } from '../../../../src/pipeline/snapshot/snapshot-run.ts';
import { recordingLogger, recordingMetrics, systemClock } from '../../kafka/sink-fixture.ts';

const never = new AbortController().signal;
const ITEMS = { id: { database: 'shop', schema: 'public', name: 'items' }, key: ['id'], estimatedRows: null };

/** A run over one table whose chunks are without rows; `settled` is what Kafka has acknowledged. */
function stage() {
  const settled: InFlightBatch<number>[] = [];
  const keysRead: (readonly string[] | null)[] = [];
  let openViews = 0;
  let nowMs = 0;
  const reader = {
    readTables: async () => [ITEMS],
    divide: async () => [],
    openView: async () => ({
      number: ++openViews,
      contains: () => false,
      isPassed: () => true,
      read: ({ after }: { after: readonly string[] | null }) => {
        keysRead.push(after);
        const end = { last: [String(Number(after?.[0] ?? 0) + 10)], isDone: false };
        return { next: async () => ({ done: true, value: end }) };
      },
      [Symbol.asyncDispose]: async () => {
        openViews -= 1;
      },
    }),
    [Symbol.asyncDispose]: async () => {},
  } as unknown as SnapshotReader<number>;
  const parts = {
    settings: { name: 'shop', snapshot: { mode: 'initial', chunkRows: 10, parallelism: 1, where: [] } },
    reader,
    sink: { ready: async () => {} },
    tracker: new AckTracker<number>((batch) => settled.push(batch)),
    clock: { ...systemClock, nowMs: () => nowMs },
    logger: recordingLogger([]),
    metrics: recordingMetrics(new Map()),
  } as unknown as SnapshotRunParts<number>;
  const range = { after: null, upTo: null, isDone: false };
  const items = { table: 'public.items', key: ['id'], filter: null, estimatedRows: null, rows: 0, again: [] };
  const progress = {
    id: '1',
    kind: 'initial',
    isPaused: false,
    startedAtMs: 0,
    tables: [{ ...items, ranges: [range] }],
  };
  const run = new SnapshotRun(parts, [ITEMS] as never, progress as never, () => ({ formatVersion: 1, covered: [] }));
  return {
    run,
    settled,
    keysRead,
    openViews: () => openViews,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('no round is read before a checkpoint holds the one before, so that a crash repeats one at most', async () => {
  const { run, settled, keysRead } = stage();
  await run.step(1, never);
  assert.equal(run.wantsStep(1, true), true);
  await run.step(1, never);
  assert.deepEqual(keysRead, [null]);

  assert.equal(run.wantsStep(2, true), true, 'a view is opened meanwhile');
  await run.step(2, never);
  assert.equal(run.wantsStep(2, true), false, 'its rows are not read');

  const round = settled.find(({ snapshot }) => snapshot !== null);
  assert.deepEqual(round?.snapshot?.running?.tables?.[0]?.ranges[0]?.after, ['10']);
  round?.onSnapshotSaved?.();
  assert.equal(run.wantsStep(2, true), true);
  await run.step(2, never);
  assert.deepEqual(keysRead, [null, ['10']]);
});

test('no view, which is a transaction on the source, is kept open while Kafka does not acknowledge', async () => {
  const { run, settled, keysRead, openViews, pass } = stage();
  for (let step = 0; step < 3; step++) await run.step(1, never);
  assert.equal(openViews(), 1);
  pass(1_001);
  assert.equal(run.wantsStep(1, true), true);
  await run.step(1, never);
  assert.equal(openViews(), 0);
  assert.match(run.waitsFor!, /not acknowledged/);
  assert.equal(run.wantsStep(1, true), false, 'nor is one opened');

  settled.find(({ snapshot }) => snapshot !== null)?.onSnapshotSaved?.();
  for (let step = 0; step < 2; step++) {
    assert.equal(run.wantsStep(1, true), true);
    await run.step(1, never);
  }
  assert.deepEqual(keysRead, [null, ['10']]);
});
