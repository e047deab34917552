import type { Clock } from '../core/clock.ts';

/** True when `promise` (which must not reject) resolves within `timeoutMs` and before `cut`; false otherwise. */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
  clock: Clock,
  cut?: AbortSignal,
): Promise<boolean> {
  const timer = new AbortController();
  const signal = cut === undefined ? timer.signal : AbortSignal.any([timer.signal, cut]);
  const over = (): false => false;
  try {
    return await Promise.race([promise.then(() => true), clock.sleep(timeoutMs, signal).then(over, over)]);
  } finally {
    timer.abort();
  }
}
