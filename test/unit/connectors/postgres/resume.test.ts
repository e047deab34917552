import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessResume, type ResumeFacts } from '../../../../connectors/postgres/resume.ts';
import type { SlotFacts } from '../../../../connectors/postgres/slot.ts';
import type { Checkpoint } from '../../../../src/core/checkpoint.ts';
import { ConfigurationError } from '../../../../src/core/errors.ts';

const at = (low: number) => ({ high: 0, low });

const SLOT: SlotFacts = {
  plugin: 'pgoutput',
  database: 'shop',
  isLogical: true,
  activePid: 4711,
  confirmedFlush: at(0x100),
  restartLsn: at(0x80),
  walStatus: 'reserved',
  safeWalBytes: null,
  invalidation: null,
  retainedBytes: 0,
};

const FACTS: ResumeFacts = {
  systemIdentifier: '77',
  timeline: 3,
  timelineEnds: new Map([
    [1, at(0x40)],
    [2, at(0x180)],
  ]),
  database: 'shop',
  slotName: 's',
  slot: SLOT,
  missingPublications: [],
};

const CHECKPOINT: Checkpoint = {
  formatVersion: 1,
  source: 'shop',
  phase: 'streaming',
  serverIdentity: '77:3',
  position: '0/100,0/100,5',
  savedAtMs: 0,
};

const FROM = { lsn: at(0x100), lastCommit: at(0x100), lastCommitTimeUs: 5 };

const CASES: readonly {
  name: string;
  facts?: Partial<ResumeFacts>;
  slot?: Partial<SlotFacts>;
  checkpoint: Partial<Checkpoint> | null;
  expected: 'fresh' | 'resume' | string;
}[] = [
  { name: 'neither slot nor checkpoint', facts: { slot: null }, checkpoint: null, expected: 'fresh' },
  { name: 'slot without checkpoint', checkpoint: null, expected: 'POSTGRES_SLOT_WITHOUT_CHECKPOINT' },
  {
    name: 'creation was interrupted before the slot',
    facts: { slot: null },
    checkpoint: { phase: 'initialising', position: null },
    expected: 'fresh',
  },
  {
    name: 'creation was interrupted after the slot',
    checkpoint: { phase: 'initialising', position: null },
    expected: 'fresh',
  },
  {
    name: 'creation was interrupted, the slot was lost since',
    slot: { walStatus: 'lost' },
    checkpoint: { phase: 'initialising', position: null },
    expected: 'fresh',
  },
  { name: 'slot is exactly at the checkpoint', checkpoint: {}, expected: 'resume' },
  { name: 'slot is behind the checkpoint', slot: { confirmedFlush: at(0xff) }, checkpoint: {}, expected: 'resume' },
  {
    name: 'slot is one byte beyond the checkpoint',
    slot: { confirmedFlush: at(0x101) },
    checkpoint: {},
    expected: 'POSTGRES_SLOT_AHEAD',
  },
  {
    name: 'slot has confirmed nothing',
    slot: { confirmedFlush: null },
    checkpoint: {},
    expected: 'POSTGRES_SLOT_AHEAD',
  },
  { name: 'slot was dropped', facts: { slot: null }, checkpoint: {}, expected: 'POSTGRES_SLOT_MISSING' },
  { name: 'WAL was removed', slot: { walStatus: 'lost' }, checkpoint: {}, expected: 'POSTGRES_SLOT_INVALIDATED' },
  {
    name: 'slot was given up for being idle',
    slot: { invalidation: 'idle_timeout' },
    checkpoint: {},
    expected: 'POSTGRES_SLOT_INVALIDATED',
  },
  { name: 'WAL is in danger but there', slot: { walStatus: 'unreserved' }, checkpoint: {}, expected: 'resume' },
  { name: 'another server', checkpoint: { serverIdentity: '78:3' }, expected: 'POSTGRES_OTHER_SERVER' },
  {
    name: 'promotion after the checkpoint',
    checkpoint: { serverIdentity: '77:2', position: '0/180' },
    expected: 'resume',
  },
  {
    name: 'promotion before the checkpoint',
    checkpoint: { serverIdentity: '77:2', position: '0/181' },
    expected: 'POSTGRES_TIMELINE_DIVERGED',
  },
  {
    name: 'two promotions, the first before the checkpoint',
    checkpoint: { serverIdentity: '77:1', position: '0/100' },
    expected: 'POSTGRES_TIMELINE_DIVERGED',
  },
  {
    name: 'a timeline that is not in the history',
    facts: { timelineEnds: new Map() },
    checkpoint: { serverIdentity: '77:2', position: '0/100' },
    expected: 'POSTGRES_TIMELINE_DIVERGED',
  },
  {
    name: 'the checkpoint is from a later timeline',
    checkpoint: { serverIdentity: '77:4' },
    expected: 'POSTGRES_TIMELINE_DIVERGED',
  },
  {
    name: 'publication was dropped',
    facts: { missingPublications: ['p'] },
    checkpoint: {},
    expected: 'POSTGRES_PUBLICATION_MISSING',
  },
];

for (const { name, facts, slot, checkpoint, expected } of CASES) {
  test(`${name}: ${expected}`, () => {
    const base = { ...FACTS, ...facts };
    const all = { ...base, slot: base.slot === null ? null : { ...base.slot, ...slot } };
    const verdict = assessResume(all, checkpoint === null ? null : { ...CHECKPOINT, ...checkpoint });
    assert.equal(verdict.kind === 'resync-required' ? verdict.code : verdict.kind, expected);
    if (verdict.kind === 'resync-required') assert.ok(verdict.reason !== '' && verdict.remedy !== '');
    if (verdict.kind === 'resume' && checkpoint?.position === undefined) assert.deepEqual(verdict.from, FROM);
  });
}

test('a slot that was made for something else is never taken, dropped or resumed', () => {
  for (const foreign of [{ plugin: 'wal2json' }, { database: 'other' }, { isLogical: false, plugin: null }]) {
    for (const checkpoint of [null, CHECKPOINT, { ...CHECKPOINT, phase: 'initialising' as const, position: null }]) {
      assert.throws(() => assessResume({ ...FACTS, slot: { ...SLOT, ...foreign } }, checkpoint), ConfigurationError);
    }
  }
});
