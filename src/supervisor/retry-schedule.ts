import type { RetryStatus } from '../core/source-status.ts';
import { type BackoffSettings, type Pause, pauseAfter } from './backoff.ts';

/** The failures in a row of one source and what they mean for its next attempt. */
export class RetrySchedule {
  readonly #settings: BackoffSettings;
  readonly #random: () => number;
  readonly #circuit: { set(value: number): void };
  #failures = 0;
  #circuitOpen = false;
  #nextAttemptAtMs: number | null = null;

  /** @param circuit the gauge that shows whether the circuit is open. */
  constructor(settings: BackoffSettings, random: () => number, circuit: { set(value: number): void }) {
    this.#settings = settings;
    this.#random = random;
    this.#circuit = circuit;
    circuit.set(0);
  }

  get failures(): number {
    return this.#failures;
  }

  /** One more attempt has failed; it is to be tried again after the pause. */
  fail(nowMs: number): Pause {
    this.#failures += 1;
    const pause = pauseAfter(this.#failures, this.#random(), this.#settings);
    this.#nextAttemptAtMs = nowMs + pause.pauseMs;
    this.#openCircuit(pause.circuitOpen);
    return pause;
  }

  attemptBegins(): void {
    this.#nextAttemptAtMs = null;
  }

  /** Once a stream has lived long enough, the failures before it are history. */
  streamed(streamedMs: number): void {
    if (this.#failures > 0 && streamedMs >= this.#settings.healthyAfterMs) this.forget();
  }

  /** There is nothing to be tried again. */
  forget(): void {
    this.#failures = 0;
    this.#nextAttemptAtMs = null;
    this.#openCircuit(false);
  }

  status(): RetryStatus | null {
    if (this.#failures === 0) return null;
    const atMs = this.#nextAttemptAtMs;
    return {
      failures: this.#failures,
      circuit_open: this.#circuitOpen,
      next_attempt_at: atMs === null ? null : new Date(atMs).toISOString(),
    };
  }

  #openCircuit(open: boolean): void {
    this.#circuitOpen = open;
    this.#circuit.set(open ? 1 : 0);
  }
}
