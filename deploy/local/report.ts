/** Takes one line of progress for a person. It must not go to stdout, which belongs to results. */
export type Report = (line: string) => void;

export const reportToStderr: Report = (line) => {
  process.stderr.write(`tailrace: ${line}\n`);
};

/** Reports that `what` is still going on, every 5 s until `work` is done. */
export async function withHeartbeat<T>(report: Report, what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const beat = setInterval(() => report(`${what} … ${Math.round((performance.now() - startedAt) / 1000)} s`), 5_000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}
