import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SnapshotSettings, SourceSettings } from '../../../../src/core/settings.ts';
import type { SnapshotTable } from '../../../../src/core/snapshot.ts';
import type { SnapshotMemory, SnapshotProgress } from '../../../../src/core/snapshot-progress.ts';
import type { SourceMemory } from '../../../../src/core/source-memory.ts';
import {
  inReadingOrder,
  keptOverResync,
  progressAtStart,
  snapshotAtFirst,
  snapshotDue,
  tableToRead,
} from '../../../../src/pipeline/snapshot/snapshot-due.ts';

const BEGUN = { id: 'new', startedAtMs: 5 };

function settings(mode: SnapshotSettings['mode'] = 'initial'): SnapshotSettings {
  return {
    mode,
    blocking: false,
    deletePass: true,
    chunkRows: 1000,
    parallelism: 1,
    where: [{ table: /^s\.b$/, filter: 'x > 1' }],
  };
}

function table(name: string, key: readonly string[] | null = ['id']): SnapshotTable {
  return { id: { database: 'd', schema: 's', name }, key, estimatedRows: 7 };
}

function memory(covered: string[], running: SnapshotProgress | null = null): SnapshotMemory {
  return { formatVersion: 1, covered, running };
}

const names = (progress: SnapshotProgress | null) => progress?.tables?.map((each) => each.table) ?? null;

describe('what a start has to do about snapshots', () => {
  const RUNNING = memory([], { ...BEGUN, kind: 'initial', isPaused: false, tables: null });
  const CASES: [mode: SnapshotSettings['mode'], stored: SnapshotMemory | null, due: string][] = [
    ['no_data', null, 'nothing'],
    ['never', null, 'nothing'],
    ['no_data', RUNNING, 'rest'],
    ['initial', RUNNING, 'rest'],
    ['initial', null, 'account'],
    ['when_needed', null, 'account'],
    ['initial', memory(['s.a']), 'rest'],
    ['initial', { ...memory([]), isUnaccounted: true }, 'account'],
    ['always', memory(['s.a']), 'all'],
    ['always', RUNNING, 'rest'],
  ];
  for (const [mode, stored, due] of CASES) {
    const what = stored === null ? 'nothing stored' : stored.running === null ? 'one done' : 'one under way';
    it(`${mode}, ${what}: ${due}`, () => assert.equal(snapshotDue(mode, stored), due));
  }

  it('the first start of a source that reads nothing stores nothing', () => {
    assert.equal(snapshotAtFirst({ mode: 'no_data', blocking: false }, 1, null), null);
    assert.equal(snapshotAtFirst({ mode: 'never', blocking: false }, 1, null), null);
    const first = snapshotAtFirst({ mode: 'initial', blocking: false }, 1, null);
    assert.deepEqual([first?.running?.kind, first?.running?.tables], ['initial', null]);
  });
});

describe('the snapshot that a start begins', () => {
  it('the first one is of all tables, those without key first', () => {
    const stored = snapshotAtFirst({ mode: 'initial', blocking: false }, 1, null);
    const tables = [table('a'), table('b'), table('c', null)];
    const progress = progressAtStart('rest', stored, tables, settings(), BEGUN);
    assert.deepEqual(names(progress), ['s.c', 's.a', 's.b']);
    assert.equal(progress?.id, stored?.running?.id);
    assert.equal(progress?.kind, 'initial');
    assert.deepEqual(
      progress?.tables?.map(({ filter }) => filter),
      [null, null, 'x > 1'],
    );
  });

  it('a table that was not captured before is read by itself', () => {
    const progress = progressAtStart('rest', memory(['s.a']), [table('a'), table('n')], settings(), BEGUN);
    assert.deepEqual(names(progress), ['s.n']);
    assert.equal(progress?.kind, 'incremental');
    assert.equal(progressAtStart('rest', memory(['s.a']), [table('a')], settings(), BEGUN), null);
  });

  it('what is under way goes on, with tables that are new behind it; without data nothing is added', () => {
    const half = { ...tableToRead(table('a'), settings()), rows: 9 };
    const running: SnapshotProgress = { id: 'old', kind: 'initial', isPaused: true, startedAtMs: 1, tables: [half] };
    const stored = memory(['s.a'], running);
    const progress = progressAtStart('rest', stored, [table('a'), table('n')], settings(), BEGUN);
    assert.deepEqual(names(progress), ['s.a', 's.n']);
    assert.deepEqual([progress?.id, progress?.isPaused, progress?.tables?.[0]], ['old', true, half]);
    const without = progressAtStart('rest', stored, [table('a'), table('n')], settings('no_data'), BEGUN);
    assert.deepEqual(names(without), ['s.a']);
  });

  it('of tables that streamed before there was an account none is read', () => {
    assert.equal(progressAtStart('account', null, [table('a')], settings(), BEGUN), null);
  });

  it('always reads all of them again', () => {
    const progress = progressAtStart('all', memory(['s.a']), [table('a')], settings('always'), BEGUN);
    assert.deepEqual([names(progress), progress?.kind], [['s.a'], 'initial']);
  });

  it('tables without key come first, in their order', () => {
    const order = inReadingOrder([table('a'), table('x', null), table('b'), table('y', null)]);
    assert.deepEqual(
      order.map(({ id }) => id.name),
      ['x', 'y', 'a', 'b'],
    );
  });
});

describe('what is kept where a source starts over', () => {
  const source = (more: object = {}, snapshot: object = {}) =>
    ({
      snapshot: { ...settings(), ...snapshot },
      skippedOperations: new Set(['t']),
      onPoison: 'fail',
      ...more,
    }) as unknown as SourceSettings;
  const streaming = { checkpoint: { phase: 'streaming' }, snapshot: null } as unknown as SourceMemory;
  const kept = (settingsOf: SourceSettings, memoryOf: SourceMemory, resync = true, keepsDeleted = false) =>
    keptOverResync({ settings: settingsOf, resync, keepsDeleted }, memoryOf);

  it('that topics are to be searched, also after a crash before there was a position', () => {
    const first = kept(source(), streaming);
    assert.equal(first?.sweep, null);
    const crashed = { checkpoint: { phase: 'initialising' }, snapshot: first } as unknown as SourceMemory;
    assert.equal(kept(source(), crashed, false)?.sweep, null);
    assert.equal(snapshotAtFirst({ mode: 'initial', blocking: false }, 1, first)?.sweep, null);
  });

  it('nothing of a source that never ran', () => {
    assert.equal(kept(source(), { checkpoint: null, snapshot: null } as unknown as SourceMemory, false), null);
  });

  for (const [why, settingsOf, keepsDeleted] of [
    ['it is turned off', source({}, { deletePass: false }), false],
    ['it is turned off for once', source(), true],
    ['rows may be dead letters', source({ onPoison: 'dead_letter' }), false],
    ['inserts are skipped', source({ skippedOperations: new Set(['c']) }), false],
    ['nothing is read', source({}, { mode: 'no_data' }), false],
    ['nothing is streamed', source({}, { mode: 'initial_only' }), false],
  ] as const) {
    it(`no search where ${why}`, () => assert.equal(kept(settingsOf, streaming, true, keepsDeleted), null));
  }
});
