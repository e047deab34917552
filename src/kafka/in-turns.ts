/**
 * `work` with at most `limit` calls under way; the others wait in order. For work that takes memory from its call on, not
 * from the moment when a thread has time for it.
 */
export function inTurns<A, R>(limit: number, work: (argument: A) => Promise<R>): (argument: A) => Promise<R> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (argument) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work(argument);
    } finally {
      // Whoever waits takes over the turn.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
