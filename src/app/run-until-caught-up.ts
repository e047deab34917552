import type { RunSummary } from '../cli/application.ts';
import { EXIT } from '../cli/exit-code.ts';
import type { Clock } from '../core/clock.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

/** Resolves when every source has published and checkpointed what was committed before its start, or cannot. */
export async function runUntilCaughtUp(supervisor: Supervisor, clock: Clock): Promise<readonly RunSummary[]> {
  const startedAtMs = clock.nowMs();
  const waits = supervisor.statuses().map(async ({ name }) => {
    const state = await supervisor.caughtUp(name);
    const status = supervisor.statuses().find((source) => source.name === name)!;
    const { changes_total: changes, position, last_error } = status;
    return {
      source: name,
      state,
      changes,
      position,
      duration_seconds: (clock.nowMs() - startedAtMs) / 1000,
      error: state === 'caught-up' || last_error === null ? null : withoutTime(last_error),
    };
  });
  return Promise.all(waits);
}

/** What the process says: a resync that is required outweighs a failure, because waiting makes it no better. */
export function exitCodeOf(summaries: readonly RunSummary[]): number {
  if (summaries.some(({ state }) => state === 'resync-required')) return EXIT.resyncRequired;
  return summaries.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.done;
}

function withoutTime({ code, message, remedy }: NonNullable<RunSummary['error']>): RunSummary['error'] {
  return { code, message, remedy };
}
