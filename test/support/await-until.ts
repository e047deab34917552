export interface AwaitUntilOptions {
  /** Gives up after this long; 60 s unless told. */
  readonly timeoutMs?: number;
  /** Pause between two looks; 25 ms unless told. */
  readonly intervalMs?: number;
}

/**
 * Looks until `condition` answers with something other than `false`, `null` or `undefined`, and resolves with that answer.
 * A look that throws counts as "not yet"; at the deadline the last error becomes the cause.
 *
 * @param what completes the sentence "waited 60 s until …" of the failure message
 */
export async function awaitUntil<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: AwaitUntilOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const intervalMs = options.intervalMs ?? 25;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let lastError: unknown;
    try {
      const answer = await within(Math.max(deadline - performance.now(), 1), condition);
      if (answer !== false && answer !== null && answer !== undefined) {
        return answer as Exclude<T, false | null | undefined>;
      }
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(
        `waited ${timeoutMs / 1000} s until ${what}`,
        lastError === undefined ? undefined : { cause: lastError },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

async function within<T>(ms: number, condition: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('one look at the condition did not come back before the deadline')), ms);
  });
  try {
    return await Promise.race([Promise.resolve(condition()), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
