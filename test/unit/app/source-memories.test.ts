import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceMemories } from '../../../src/app/source-memories.ts';
import { OwnershipLostError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import type { StateStore } from '../../../src/core/source-state.ts';
import { MemorySourceState } from '../checkpoint/memory-source-state.ts';

const never = new AbortController().signal;
const CHECKPOINT = {
  formatVersion: 1,
  source: 'shop',
  phase: 'streaming',
  serverIdentity: 'id',
  position: '7',
  savedAtMs: 1,
} as const;

/** A store whose state is another one each time it is opened. */
function storeOf(...states: readonly MemorySourceState[]): StateStore {
  const left = [...states];
  const open = async () => left.shift()!;
  return { open, openToReplace: open, peek: async () => null, close: async () => {} };
}

test('a checkpoint that is gone between two attempts is a loss, until a resync or until it is back', async () => {
  const [first, gone, goneStill, back] = [0, 1, 2, 3].map(() => new MemorySourceState()) as [
    MemorySourceState,
    MemorySourceState,
    MemorySourceState,
    MemorySourceState,
  ];
  const memories = new SourceMemories(storeOf(first, gone, goneStill, back, new MemorySourceState()), 'shop');
  const memory = await memories.open(false, never);
  assert.equal(memory.checkpoint, null, 'a first start has none');
  await memory.save(CHECKPOINT, null, [], null, never);
  for (const state of [gone, goneStill]) {
    await assert.rejects(memories.open(false, never), (error) => {
      assert.ok(error instanceof ResyncRequiredError);
      assert.equal(error.code, 'CHECKPOINT_LOST');
      assert.match(error.remedy, /checkpoint import.*tailrace resync shop/);
      return true;
    });
    assert.ok(state.disposed, 'the claim is given back');
  }
  back.entries.set('checkpoint', JSON.stringify(CHECKPOINT));
  assert.deepEqual((await memories.open(false, never)).checkpoint, CHECKPOINT);
  assert.equal((await memories.open(true, never)).checkpoint, null);
});

test('an attempt that ended before it saved anything leaves nothing to miss', async () => {
  const memories = new SourceMemories(storeOf(new MemorySourceState(), new MemorySourceState()), 'shop');
  await memories.open(false, never);
  assert.equal((await memories.open(false, never)).checkpoint, null);
});

test('a lock that the owner before has not given back yet is tried again', async () => {
  const remedy = 'Stop that process first.';
  const locked = new OwnershipLostError('locked by pid 7', { code: 'STATE_LOCKED', remedy, source: 'shop' });
  const store = { ...storeOf(new MemorySourceState()), open: () => Promise.reject(locked) };
  await assert.rejects(new SourceMemories(store, 'shop').open(false, never), (error) => {
    assert.ok(error instanceof TransientError);
    assert.deepEqual([error.code, error.message, error.remedy], ['STATE_LOCKED', locked.message, remedy]);
    return true;
  });
});
