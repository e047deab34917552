import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTurns } from '../../../src/kafka/in-turns.ts';

test('at most so many are under way, the others follow in order, and a failure takes no turn away', async () => {
  const started: number[] = [];
  const ends = new Map<number, PromiseWithResolvers<void>>();
  const work = inTurns(2, async (n: number) => {
    started.push(n);
    const end = Promise.withResolvers<void>();
    ends.set(n, end);
    await end.promise;
    return n * 10;
  });
  const results = [1, 2, 3, 4, 5].map((n) => work(n));
  await nextTurn();
  assert.deepEqual(started, [1, 2]);
  ends.get(2)!.resolve();
  assert.equal(await results[1], 20);
  await nextTurn();
  assert.deepEqual(started, [1, 2, 3]);
  ends.get(1)!.reject(new Error('no memory'));
  await assert.rejects(results[0]!, /no memory/);
  await nextTurn();
  assert.deepEqual(started, [1, 2, 3, 4]);
  ends.get(3)!.resolve();
  ends.get(4)!.resolve();
  await nextTurn();
  assert.deepEqual(started, [1, 2, 3, 4, 5]);
  ends.get(5)!.resolve();
  assert.deepEqual(await Promise.all(results.slice(1)), [20, 30, 40, 50]);
});
