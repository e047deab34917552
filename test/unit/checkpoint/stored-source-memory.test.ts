import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { exportState, importState } from '../../../src/checkpoint/state-transfer.ts';
import { StoredSourceMemory } from '../../../src/checkpoint/stored-source-memory.ts';
import type { Checkpoint } from '../../../src/core/checkpoint.ts';
import { ConfigurationError, FatalError } from '../../../src/core/errors.ts';
import type { StateStore } from '../../../src/core/source-state.ts';
import { MemorySourceState } from './memory-source-state.ts';

const never = new AbortController().signal;

function checkpoint(position: string | null): Checkpoint {
  const phase = position === null ? 'initialising' : 'streaming';
  return { formatVersion: 1, source: 'shop', phase, serverIdentity: 'id', position, savedAtMs: 1 };
}

function storeOf(state: MemorySourceState): StateStore {
  const open = async () => state;
  return { open, openToReplace: open, peek: async () => state.entries, close: async () => {} };
}

describe('stored source memory', () => {
  it('is empty for a source that was never run', async () => {
    const memory = await StoredSourceMemory.open(storeOf(new MemorySourceState()), 'shop', never);
    assert.equal(memory.checkpoint, null);
    assert.deepEqual(memory.topics, []);
  });

  it('saves checkpoint, topics and what is forgotten in one put', async () => {
    const state = new MemorySourceState();
    const memory = new StoredSourceMemory(state, 'shop');
    for (const since of ['10', '20']) await memory.schemas.add('r', { layout: since, since, resolved: '' }, never);
    await memory.save(checkpoint('at 25'), '25', [{ topic: 't', topicId: 'i', endOffsets: [1] }], null, never);
    assert.deepEqual(Object.keys(state.puts.at(-1) ?? {}).sort(), ['checkpoint', 'relation/r', 'topic/t']);
    await memory.save(checkpoint('at 26'), null, [{ topic: 'u', topicId: 'j', endOffsets: [null] }], null, never);
    assert.deepEqual(Object.keys(state.puts.at(-1) ?? {}).sort(), ['checkpoint', 'topic/u']);
    for (const each of [memory, new StoredSourceMemory(state, 'shop')]) {
      assert.deepEqual(each.checkpoint, checkpoint('at 26'));
      assert.deepEqual(each.topics.map(({ topic }) => topic).sort(), ['t', 'u']);
      assert.deepEqual(
        each.schemas.versions('r').map(({ since }) => since),
        ['20'],
      );
    }
  });

  it('starts over in one put that leaves only the ids of schemas', async () => {
    const state = new MemorySourceState();
    const memory = new StoredSourceMemory(state, 'shop');
    await memory.schemas.add('r', { layout: 'x', since: '20', resolved: '' }, never);
    memory.schemaIds.set('hash', 7);
    await memory.save(checkpoint('at 25'), null, [{ topic: 't', topicId: 'i', endOffsets: [1] }], null, never);
    const before = state.puts.length;
    await memory.startOver(checkpoint(null), null, never);
    assert.equal(state.puts.length, before + 1);
    for (const each of [memory, new StoredSourceMemory(state, 'shop')]) {
      assert.deepEqual([each.checkpoint, each.topics], [checkpoint(null), []]);
      assert.deepEqual(each.schemas.versions('r'), []);
      assert.equal(each.schemaIds.get('hash'), 7);
    }
    // On a server that was restored its log may be where it was before.
    await memory.schemas.add('r', { layout: 'y', since: '10', resolved: '' }, never);
  });

  it('saves the ids of schemas with the next checkpoint, also after one that failed', async () => {
    const state = new MemorySourceState();
    const memory = new StoredSourceMemory(state, 'shop');
    memory.schemaIds.set('a', 7);
    assert.deepEqual([memory.schemaIds.get('a'), state.puts.length], [7, 0]);
    await assert.rejects(memory.save(checkpoint('1'), null, [], null, AbortSignal.abort()));
    memory.schemaIds.set('b', 8);
    await memory.save(checkpoint('2'), null, [], null, never);
    assert.deepEqual(Object.keys(state.puts.at(-1) ?? {}).sort(), ['checkpoint', 'schema-id/a', 'schema-id/b']);
    await memory.save(checkpoint('3'), null, [], null, never);
    assert.deepEqual(Object.keys(state.puts.at(-1) ?? {}), ['checkpoint']);
    const restarted = new StoredSourceMemory(state, 'shop');
    assert.deepEqual([restarted.schemaIds.get('a'), restarted.schemaIds.get('b')], [7, 8]);
  });

  it('keeps of the snapshots what it is told to where it starts over', async () => {
    const state = new MemorySourceState();
    const memory = new StoredSourceMemory(state, 'shop');
    const signals = {
      waiting: [{ id: '1', type: 'execute-snapshot', data: '{}', without: [] }],
      topic: { topic: 's', offsets: [7] },
    };
    const running = { id: 'a', kind: 'initial', isPaused: false, startedAtMs: 1, tables: null } as const;
    const snapshot = { formatVersion: 1, covered: ['public.a'], running, signals } as const;
    await memory.save(checkpoint('at 25'), null, [], snapshot, never);
    const kept = { formatVersion: 1, covered: [], isUnaccounted: true, running: null, sweep: null, signals } as const;
    await memory.startOver(checkpoint(null), kept, never);
    assert.deepEqual(memory.snapshot, kept);
    assert.deepEqual(new StoredSourceMemory(state, 'shop').snapshot, kept);
  });

  it('remembers nothing that was not saved', async () => {
    const memory = new StoredSourceMemory(new MemorySourceState(), 'shop');
    await memory.save(checkpoint(null), null, [], null, never);
    await assert.rejects(
      memory.save(checkpoint('1'), '1', [{ topic: 't', topicId: 'i', endOffsets: [] }], null, AbortSignal.abort()),
    );
    assert.deepEqual(memory.checkpoint, checkpoint(null));
    assert.deepEqual(memory.topics, []);
  });

  it('of what cannot be read keeps nothing, for a source that starts over', async () => {
    const damaged = { checkpoint: 'half of i', 'schema-id/hash': '{}', 'topic/t': 'x' };
    const state = new MemorySourceState(damaged);
    const memory = await StoredSourceMemory.openToStartOver(storeOf(state), 'shop', never);
    assert.deepEqual([memory.checkpoint, memory.topics, state.entries.size], [null, [], 0]);
    await memory.startOver(checkpoint(null), null, never);
    assert.deepEqual(new StoredSourceMemory(state, 'shop').checkpoint, checkpoint(null));
  });

  it('keeps what can be read, for a source that starts over', async () => {
    const state = new MemorySourceState();
    await new StoredSourceMemory(state, 'shop').save(checkpoint('7'), null, [], null, never);
    const memory = await StoredSourceMemory.openToStartOver(storeOf(state), 'shop', never);
    assert.deepEqual(memory.checkpoint, checkpoint('7'));
  });

  it('gives the claim back where what it finds is damaged', async () => {
    const state = new MemorySourceState({ checkpoint: '{}' });
    await assert.rejects(StoredSourceMemory.open(storeOf(state), 'shop', never), FatalError);
    assert.ok(state.disposed);
  });
});

describe('state transfer', () => {
  it('replaces everything in one put', async () => {
    const from = { checkpoint: '{"a":1}', 'relation/1': 'x' };
    const text = exportState('shop', new Map(Object.entries(from)));
    const state = new MemorySourceState({ checkpoint: '{"a":0}', 'topic/t': 'y' });
    await importState(state, 'shop', text, 'backup.json', never);
    assert.deepEqual(Object.fromEntries(state.entries), from);
    assert.equal(state.puts.length, 1);
  });

  it('changes nothing where the document is damaged or of another source', async () => {
    const text = exportState('shop', new Map([['checkpoint', '{"a":1}']]));
    const state = new MemorySourceState({ checkpoint: '{"a":0}' });
    await assert.rejects(
      importState(state, 'shop', text.replace('"a": 1', '"a": 2'), 'backup.json', never),
      FatalError,
    );
    await assert.rejects(importState(state, 'other', text, 'backup.json', never), ConfigurationError);
    assert.equal(state.puts.length, 0);
  });
});
