/** How long a source waits between attempts that fail. All of it is a pure function of the failures in a row. */
export interface BackoffSettings {
  /** Longest pause after the first failure; it doubles with each further one. */
  readonly baseMs: number;
  readonly capMs: number;
  /** A stream that lived this long before it failed counts as a new beginning. */
  readonly healthyAfterMs: number;
  /** From this many failures in a row the circuit is open. */
  readonly openAfterFailures: number;
  /** Longest pause while the circuit is open; at least half of it is waited. */
  readonly openPauseMs: number;
}

/** The circuit opens after about four minutes of failing. */
export const DEFAULT_BACKOFF: BackoffSettings = {
  baseMs: 500,
  capMs: 60_000,
  healthyAfterMs: 60_000,
  openAfterFailures: 15,
  openPauseMs: 180_000,
};

export interface Pause {
  readonly pauseMs: number;
  readonly circuitOpen: boolean;
}

/**
 * Full jitter: anywhere between nothing and the exponential bound, so that many sources that lost one server do not come
 * back together. https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 * @param failures in a row, at least 1.
 * @param random in [0, 1).
 */
export function pauseAfter(failures: number, random: number, settings: BackoffSettings = DEFAULT_BACKOFF): Pause {
  if (failures >= settings.openAfterFailures) {
    return { pauseMs: Math.round((settings.openPauseMs * (1 + random)) / 2), circuitOpen: true };
  }
  const boundMs = Math.min(settings.capMs, settings.baseMs * 2 ** (failures - 1));
  return { pauseMs: Math.round(boundMs * random), circuitOpen: false };
}
