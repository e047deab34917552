import assert from 'node:assert/strict';
import { TailraceError } from '../../src/core/errors.ts';

export interface Refusal {
  readonly code: string;
  /** `configuration` when missing. */
  readonly errorClass?: string;
  readonly message?: RegExp;
  readonly remedy?: RegExp;
}

/** Passes where the attempt ends with an error that says what is wrong and what to do, in words without TLS internals or keys. */
export async function assertRefused(attempt: Promise<unknown>, expected: Refusal, name: string): Promise<void> {
  const error = await attempt.then(
    () => assert.fail(`${name}: was accepted`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof TailraceError)) throw error;
  const { code, errorClass, message, remedy } = error;
  assert.deepEqual([errorClass, code], [expected.errorClass ?? 'configuration', expected.code], `${name}: ${message}`);
  if (expected.message !== undefined) assert.match(message, expected.message, name);
  if (expected.remedy !== undefined) assert.match(remedy, expected.remedy, name);
  assert.doesNotMatch(`${message} ${remedy}`, /SSL routines|openssl|undefined|PRIVATE KEY|BEGIN/, name);
}
