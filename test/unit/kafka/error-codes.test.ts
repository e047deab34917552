import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka';
import { ConfigurationError, FatalError, OwnershipLostError, TransientError } from '../../../src/core/errors.ts';
import {
  isRetriable,
  kafkaError,
  kafkaErrorKind,
  kafkaErrorName,
  MISSING_IN_RESPONSE,
} from '../../../src/kafka/error-codes.ts';

/** Retriable here although the Java client gives up: each can pass, and repeating the same batch is safe. */
const ALSO_RETRIABLE = new Set([-1, 8, 55]);

test('names are those of another client, and what it repeats is repeated here', () => {
  for (const [id, name] of Object.entries(protocolErrorsCodesById)) {
    const code = Number(id);
    if (kafkaErrorName(code).startsWith('KAFKA_ERROR_')) continue;
    assert.equal(kafkaErrorName(code), name);
    const { canRetry } = (protocolErrors as Record<string, { canRetry: boolean }>)[name]!;
    assert.equal(isRetriable(code), canRetry || ALSO_RETRIABLE.has(code), name);
  }
});

test('an unknown code is never repeated', () => {
  assert.equal(kafkaErrorKind(9_999), 'fatal');
  assert.ok(!isRetriable(9_999));
});

test('a partition missing from an answer is repeated', () => {
  assert.ok(isRetriable(MISSING_IN_RESPONSE));
});

test('the class of an error follows its code', () => {
  for (const [code, type] of [
    [7, TransientError],
    [29, ConfigurationError],
    [38, ConfigurationError],
    [58, ConfigurationError],
    [59, TransientError],
    [10, ConfigurationError],
    [47, OwnershipLostError],
    [90, OwnershipLostError],
    [42, FatalError],
  ] as const) {
    const error = kafkaError(code, 'producing to topic t, partition 3', null, 'shop');
    assert.ok(error instanceof type, kafkaErrorName(code));
    assert.equal(error.source, 'shop');
    assert.match(error.message, /topic t, partition 3/);
    assert.ok(error.remedy.length > 20);
  }
});
