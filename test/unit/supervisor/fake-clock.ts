import type { Clock } from '../../../src/core/clock.ts';

interface Sleeper {
  readonly wakeAtMs: number;
  wake(): void;
}

/** A clock that stands still until it is told to go on. */
export class FakeClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1);
  readonly #sleepers = new Set<Sleeper>();

  nowMs(): number {
    return this.#nowMs;
  }

  nowUs(): number {
    return this.#nowMs * 1000;
  }

  /** How long until each sleeper wakes, shortest first. */
  get pausesMs(): readonly number[] {
    return [...this.#sleepers].map(({ wakeAtMs }) => wakeAtMs - this.#nowMs).sort((a, b) => a - b);
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal.reason);
      };
      const sleeper: Sleeper = {
        wakeAtMs: this.#nowMs + ms,
        wake: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Lets `ms` pass, waking in order whoever sleeps until then, and lets everything that follows from it happen. */
  async pass(ms: number): Promise<void> {
    await settle();
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const nextMs = Math.min(...[...this.#sleepers].map(({ wakeAtMs }) => wakeAtMs));
      if (nextMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      // All of one moment together, so that races between them can happen.
      for (const sleeper of [...this.#sleepers].filter(({ wakeAtMs }) => wakeAtMs <= nextMs)) {
        this.#sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settle();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets every promise that can go on without time passing go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
