import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeSnapshotMemory, encodeSnapshotMemory } from '../../../src/checkpoint/snapshot-memory-codec.ts';
import { FatalError } from '../../../src/core/errors.ts';
import type { SnapshotMemory } from '../../../src/core/snapshot-progress.ts';

/** As it was written before there were signals. */
const WITHOUT_SIGNALS = '{"formatVersion":1,"covered":["public.a"],"running":null}';

const SIGNALLED: SnapshotMemory = {
  formatVersion: 1,
  covered: [],
  running: { id: 'r', kind: 'initial', signalId: 'sig-1', isPaused: false, startedAtMs: 5, tables: null },
  signals: {
    waiting: [{ id: 'sig-2', type: 'execute-snapshot', data: '{}', without: ['public.b'] }],
    topic: { topic: 'ops', offsets: [3, 0] },
  },
};

describe('snapshot memory codec', () => {
  it('reads what was written without signals, and writes it so', () => {
    const memory = decodeSnapshotMemory(WITHOUT_SIGNALS, 'shop');
    assert.deepEqual(memory, { formatVersion: 1, covered: ['public.a'], running: null });
    assert.equal(encodeSnapshotMemory(memory), WITHOUT_SIGNALS);
  });

  it('keeps signals, how far their topic was read, and which signal asked', () => {
    assert.deepEqual(decodeSnapshotMemory(encodeSnapshotMemory(SIGNALLED), 'shop'), SIGNALLED);
    const streaming: SnapshotMemory = { formatVersion: 1, covered: [], isUnaccounted: true, running: null };
    assert.deepEqual(decodeSnapshotMemory(encodeSnapshotMemory(streaming), 'shop'), streaming);
    const unread = { ...SIGNALLED, signals: { waiting: [], topic: null } };
    assert.deepEqual(decodeSnapshotMemory(encodeSnapshotMemory(unread), 'shop'), unread);
  });

  it('keeps when the stream rests, and what is to be searched for', () => {
    const running = SIGNALLED.running!;
    for (const hold of [
      { from: 'view' },
      { from: 'start', oldest: null, read: null },
      { from: 'start', oldest: 'a', read: 'b' },
    ] as const) {
      const memory = { ...SIGNALLED, running: { ...running, hold } };
      assert.deepEqual(decodeSnapshotMemory(encodeSnapshotMemory(memory), 'shop'), memory);
    }
    for (const sweep of [null, [], [{ table: 'public.a', since: [0, 7] }]]) {
      const memory = { ...SIGNALLED, sweep };
      assert.deepEqual(decodeSnapshotMemory(encodeSnapshotMemory(memory), 'shop'), memory);
    }
    for (const wrong of [
      { running: { ...running, hold: { from: 'start', oldest: 1, read: null } } },
      { running: { ...running, hold: {} } },
      { sweep: [{ table: 'a', since: [-1] }] },
      { sweep: {} },
    ]) {
      const text = JSON.stringify({ ...SIGNALLED, ...wrong });
      assert.throws(() => decodeSnapshotMemory(text, 'shop'), FatalError, text);
    }
  });

  it('refuses signals of another form', () => {
    for (const signals of [
      null,
      {},
      { waiting: [], topic: {} },
      { waiting: [{}], topic: null },
      { waiting: [{ id: 'a', type: 'b', data: 'c' }], topic: null },
      { waiting: [{ id: 'a', type: 'b', data: 'c', without: [1] }], topic: null },
      { waiting: [], topic: { topic: 'ops', offsets: [-1] } },
    ]) {
      const text = JSON.stringify({ ...SIGNALLED, signals });
      assert.throws(() => decodeSnapshotMemory(text, 'shop'), FatalError, text);
    }
    const text = JSON.stringify({ ...SIGNALLED, running: { ...SIGNALLED.running, signalId: 1 } });
    assert.throws(() => decodeSnapshotMemory(text, 'shop'), FatalError);
  });
});
