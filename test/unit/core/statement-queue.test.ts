import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Statement, StatementQueue } from '../../../src/core/statement-queue.ts';

class Classified extends Error {}

function statement<T>(execute: Statement<T>['execute'], more: Partial<Statement<T>> = {}): Statement<T> {
  return {
    execute,
    timeoutMs: Number.POSITIVE_INFINITY,
    abandon: () => assert.fail('nothing is to be abandoned'),
    late: () => new Error('late'),
    classify: (error) => new Classified('classified', { cause: error }),
    ...more,
  };
}

const never = () => new Promise<never>(() => {});
const { signal } = new AbortController();

test('one statement runs at a time, in order, also after one that failed', async () => {
  const queue = new StatementQueue();
  const told: string[] = [];
  const first = Promise.withResolvers<number>();
  const one = queue.run(
    statement(() => {
      told.push('one begins');
      return first.promise;
    }),
    signal,
  );
  const two = queue.run(
    statement(async () => {
      told.push('two begins');
      return 2;
    }),
    signal,
  );
  await new Promise(setImmediate);
  assert.deepEqual(told, ['one begins']);
  first.reject(new Error('broken'));
  await assert.rejects(one, Classified);
  assert.equal(await two, 2);
});

test('after its deadline a statement is abandoned and told to stop; the next one runs', async () => {
  const queue = new StatementQueue();
  let abandoned = 0;
  let stopped: AbortSignal | null = null;
  const hung = queue.run(
    statement(
      (stop) => {
        stopped = stop;
        return never();
      },
      { timeoutMs: 5, abandon: () => void abandoned++ },
    ),
    signal,
  );
  const next = queue.run(
    statement(async () => 'next'),
    signal,
  );
  await assert.rejects(hung, /late/);
  assert.equal(abandoned, 1);
  assert.equal((stopped as AbortSignal | null)?.aborted, true);
  assert.equal(await next, 'next');
});

test('an aborted wait fails with the reason of the signal, and a statement that has not begun does not', async () => {
  const queue = new StatementQueue();
  const stop = new AbortController();
  let abandoned = 0;
  const running = queue.run(statement(never, { abandon: () => void abandoned++ }), stop.signal);
  const waiting = queue.run(
    statement(() => assert.fail('it must not begin')),
    stop.signal,
  );
  await new Promise(setImmediate);
  stop.abort(new Error('stopped'));
  await assert.rejects(running, /stopped/);
  await assert.rejects(waiting, /stopped/);
  assert.equal(abandoned, 1);
});
