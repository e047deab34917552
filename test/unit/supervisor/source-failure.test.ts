import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ConfigurationError,
  FatalError,
  OwnershipLostError,
  PoisonChangeError,
  ResyncRequiredError,
  TransientError,
} from '../../../src/core/errors.ts';
import { classifyFailure } from '../../../src/supervisor/source-failure.ts';

const context = { code: 'SOME_CODE', remedy: 'Do this.' };

test('the class decides', () => {
  const expected = [
    [new TransientError('x', context), 'transient', 'backing-off'],
    [new ResyncRequiredError('x', context), 'resync-required', 'resync-required'],
    [new ConfigurationError('x', context), 'configuration', 'failed'],
    [new PoisonChangeError('x', context), 'poison', 'failed'],
    [new OwnershipLostError('x', context), 'ownership', 'failed'],
    [new FatalError('x', context), 'fatal', 'failed'],
  ] as const;
  for (const [error, name, next] of expected) {
    const failure = classifyFailure(error);
    assert.deepEqual(failure, { class: name, next, code: 'SOME_CODE', message: 'x', remedy: 'Do this.' });
  }
});

test('what has no class is tried again, and its text is not shown', () => {
  const thrown = [
    Object.assign(new TypeError('value 4711'), { code: 'EODD' }),
    new Error('4711'),
    '4711',
    undefined,
    null,
  ];
  for (const error of thrown) {
    const failure = classifyFailure(error);
    assert.deepEqual([failure.class, failure.next, failure.code], ['unclassified', 'backing-off', 'UNCLASSIFIED']);
    assert.ok(!JSON.stringify(failure).includes('4711'));
  }
  assert.match(classifyFailure(thrown[0]).message, /TypeError \(EODD\)/);
});

test('an error of closing does not hide the one before it', async () => {
  const closing = () => ({
    [Symbol.asyncDispose]: () => Promise.reject(new Error('cannot close')),
  });
  const thrown = await (async () => {
    await using _outer = closing();
    await using _inner = closing();
    throw new OwnershipLostError('x', context);
  })().catch((error: unknown) => error);
  assert.ok(thrown instanceof SuppressedError);
  assert.equal(classifyFailure(thrown).class, 'ownership');
});
