/** Runs `task` every `intervalMs`, never twice at a time, until the returned function is called; that waits for a run. */
export function repeat(intervalMs: number, task: (signal: AbortSignal) => Promise<void>): () => Promise<void> {
  const stopped = new AbortController();
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= task(stopped.signal).finally(() => {
      running = null;
    });
  }, intervalMs);
  return async () => {
    clearInterval(timer);
    stopped.abort();
    await running;
  };
}
