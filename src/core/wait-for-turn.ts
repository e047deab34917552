import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';

const RETRY_MS = 1000;
const LOG_MS = 10_000;

/** Who reads the log now, as fields of a log line. */
export type PresentOwner = Readonly<Record<string, unknown>>;

/**
 * Tries to own a source's log until `attempt` gives null, and says now and then that it waits.
 * @throws the signal's reason when aborted.
 */
export async function waitForTurn(
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  waiting: string,
  attempt: () => Promise<PresentOwner | null>,
  signal: AbortSignal,
): Promise<void> {
  let nextLogMs = clock.nowMs();
  for (;;) {
    const owner = await attempt();
    if (owner === null) return;
    if (clock.nowMs() >= nextLogMs) {
      nextLogMs = clock.nowMs() + LOG_MS;
      logger.warn(owner, waiting);
    }
    await clock.sleep(RETRY_MS, signal);
  }
}
