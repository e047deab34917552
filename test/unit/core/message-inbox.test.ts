import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ARENA_BYTES } from '../../../src/core/message-arena.ts';
import { MessageInbox } from '../../../src/core/message-inbox.ts';

function newInbox() {
  const calls: string[] = [];
  return { calls, inbox: new MessageInbox({ pause: () => calls.push('pause'), resume: () => calls.push('resume') }) };
}

test('messages come out in order, byte for byte, although their buffer is overwritten', () => {
  const { inbox } = newInbox();
  const shared = Buffer.alloc(40_000);
  const taken: string[] = [];
  for (let round = 0; round < 50; round++) {
    shared.fill(round);
    inbox.addMessage(shared, 0, 10_000 + round, 0, round);
  }
  inbox.addMessage(Buffer.alloc(ARENA_BYTES + 1, 77), 0, ARENA_BYTES + 1, 1, 2);
  inbox.endOfRead(5);
  for (let arena = inbox.take(); arena !== null; arena = inbox.take()) {
    assert.equal(arena.receivedAtMs, 5);
    for (let entry = 0; entry < arena.count; entry++) {
      const bytes = arena.bytes.subarray(arena.starts[entry], arena.ends[entry]);
      assert.ok(bytes.every((byte) => byte === bytes[0]));
      taken.push(`${bytes[0]}:${bytes.length}`);
    }
    inbox.pool.letGo(arena);
  }
  assert.deepEqual(taken, [...Array.from({ length: 50 }, (_, n) => `${n}:${10_000 + n}`), `77:${ARENA_BYTES + 1}`]);
  assert.equal(inbox.bufferedBytes, 0);
});

test('reading stops above the bound, once, and goes on when most is taken', () => {
  const { inbox, calls } = newInbox();
  const message = Buffer.alloc(100_000);
  for (let count = 0; count < 60; count++) {
    inbox.addMessage(message, 0, message.length, 0, count);
    inbox.endOfRead(1);
  }
  assert.deepEqual(calls, ['pause']);
  let arenas = 0;
  while (calls.length < 2) {
    const arena = inbox.take();
    assert.ok(arena !== null);
    inbox.pool.letGo(arena);
    arenas += 1;
  }
  assert.deepEqual(calls, ['pause', 'resume']);
  assert.ok(arenas > 10 && !inbox.isEmpty, 'not at once, and before everything is taken');
});

test('consecutive keepalives are one', () => {
  const { inbox } = newInbox();
  for (let low = 1; low <= 1000; low++) inbox.addKeepalive(0, low);
  inbox.addMessage(Buffer.from('x'), 0, 1, 0, 2000);
  inbox.addKeepalive(0, 3000);
  const arena = inbox.take();
  assert.deepEqual([...(arena?.tagLow.subarray(0, arena.count) ?? [])], [1000, 2000, 3000]);
});

test('what came before a failure is still given; then the failure', async () => {
  const { inbox } = newInbox();
  inbox.addMessage(Buffer.from('x'), 0, 1, 0, 1);
  const failure = new Error('gone');
  inbox.fail(failure);
  inbox.fail(new Error('a later one'));
  await inbox.waitForMore();
  assert.ok(inbox.take() !== null);
  assert.throws(() => inbox.take(), failure);
});

test('an arena is recycled when its last holder lets go', () => {
  const { inbox } = newInbox();
  inbox.addMessage(Buffer.from('x'), 0, 1, 0, 1);
  const first = inbox.take();
  assert.ok(first !== null);
  first.holders += 1;
  inbox.pool.letGo(first);
  assert.notEqual(inbox.pool.take(1), first);
  inbox.pool.letGo(first);
  assert.equal(inbox.pool.take(1), first);
});

test('a large message is kept instead of copied, and holds the socket until it is let go', () => {
  const { inbox, calls } = newInbox();
  const own = Buffer.alloc(5_000_000, 1);
  inbox.addMessage(Buffer.from('before'), 0, 6, 0, 1, true);
  inbox.addMessage(own, 30, own.length, 0, 2, true);
  inbox.addMessage(Buffer.from('after'), 0, 5, 0, 3, true);
  inbox.endOfRead(1);
  const first = inbox.take();
  const large = inbox.take();
  assert.ok(first !== null && large !== null);
  assert.equal(large.bytes, own);
  assert.deepEqual([large.count, large.starts[0], large.ends[0]], [1, 30, own.length]);
  inbox.pool.letGo(first);
  assert.deepEqual(calls, ['pause']);
  inbox.pool.letGo(large);
  assert.deepEqual(calls, ['pause', 'resume']);
  const last = inbox.take();
  assert.equal(last?.bytes.toString('latin1', last.starts[0], last.ends[0]), 'after');
});
