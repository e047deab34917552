/**
 * `work` with at most `limit` calls under way; the others wait in order. For work that takes memory from its call on, not
 * from the moment when a thread has time for it.
 */
export function inTurns<A extends unknown[], R>(
  limit: number,
  work: (...values: A) => Promise<R>,
): (...values: A) => Promise<R> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (...values) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work(...values);
    } finally {
      // Whoever waits takes over the turn.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
