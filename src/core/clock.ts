export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Microseconds since 1970, a safe integer. */
  nowUs(): number;
  /** Resolves after `ms`, rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
