import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { awaitUntil } from './await-until.ts';

const TIMEOUT_MS = 20_000;

/** Looks until `read` answers with `expected`, for what comes a moment after it was asked for; fails with the difference. */
export async function awaitEqual<T>(read: () => Promise<T>, expected: T, message?: string): Promise<void> {
  let seen: T | undefined;
  const isEqual = async () => {
    seen = await read();
    return isDeepStrictEqual(seen, expected);
  };
  try {
    await awaitUntil('the answer was what is expected', isEqual, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    assert.deepEqual(seen, expected, message);
    throw error;
  }
}
