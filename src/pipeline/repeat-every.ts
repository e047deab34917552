import type { Clock } from '../core/clock.ts';

/** Does `chore` every `intervalMs`, one at a time, until aborted; then it resolves. Rejects with what the chore throws. */
export async function repeatEvery(
  intervalMs: number,
  clock: Clock,
  signal: AbortSignal,
  chore: () => Promise<void>,
): Promise<void> {
  while (await slept(intervalMs, clock, signal)) await chore();
}

async function slept(intervalMs: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(intervalMs, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
