import type { Clock } from '../core/clock.ts';
import { TransientError } from '../core/errors.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Does `work` again while it fails with a TransientError, with growing pauses; after `timeoutMs` the last error is thrown.
 */
export async function retryTransient<T>(
  work: (attempt: number) => Promise<T>,
  timeoutMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof TransientError) || performance.now() >= deadlineMs) throw error;
    }
    const bound = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 10));
    await clock.sleep(bound * (0.5 + Math.random() / 2), signal);
  }
}
