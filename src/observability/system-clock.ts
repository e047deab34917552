import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';

/** How far the fast clock may be away from the wall clock before it is set again. */
const MAX_DRIFT_US = 5_000;
/** A step back below this is smoothed away; a longer one is somebody setting the clock and is followed. */
const MAX_HOLD_US = 1_000_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a `SystemClock` reads; replaced in tests. */
export interface TimeSource {
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /** Monotonic, milliseconds with fraction. */
  monotonicMs(): number;
}

const PROCESS_TIME: TimeSource = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };

/**
 * The machine's clock with microseconds. The wall clock has only milliseconds and the monotonic one neither follows NTP
 * nor counts suspended time, so the latter is anchored to the former again whenever they have drifted apart.
 */
export class SystemClock implements Clock {
  readonly #time: TimeSource;
  #anchorUs: number;
  #lastUs = 0;

  constructor(time: TimeSource = PROCESS_TIME) {
    this.#time = time;
    this.#anchorUs = time.wallMs() * 1000 - time.monotonicMs() * 1000;
  }

  nowMs(): number {
    return this.#time.wallMs();
  }

  /** Never goes back by less than a second; two calls may give the same number. */
  nowUs(): number {
    const monotonicUs = this.#time.monotonicMs() * 1000;
    const wallUs = this.#time.wallMs() * 1000;
    let nowUs = Math.floor(this.#anchorUs + monotonicUs);
    // The wall clock is cut to milliseconds: a correct anchor is up to one millisecond ahead of it.
    if (Math.abs(nowUs - wallUs) > MAX_DRIFT_US) {
      this.#anchorUs = wallUs - monotonicUs;
      nowUs = wallUs;
    }
    if (nowUs < this.#lastUs && this.#lastUs - nowUs < MAX_HOLD_US) return this.#lastUs;
    this.#lastUs = nowUs;
    return nowUs;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    try {
      await sleep(Math.min(Math.max(ms, 0), MAX_TIMER_MS), undefined, { signal });
    } catch (error) {
      // Node wraps the reason in an AbortError; the contract is the reason itself.
      signal.throwIfAborted();
      throw error;
    }
  }
}
