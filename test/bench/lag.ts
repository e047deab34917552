/** Of changes on their way, milliseconds. */
export interface Lag {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** Of at least one. */
export function lagOf(elapsedMs: readonly number[]): Lag {
  const sorted = Float64Array.from(elapsedMs).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
