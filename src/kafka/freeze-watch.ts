const BEAT_MS = 1_000;
/** A loop that was away for longer than this may have been overtaken by another process. */
const FROZEN_AFTER_MS = 5_000;

/** Both clocks, milliseconds: the monotonic one does not count the suspension of a machine, the other one can be set. */
export interface WatchedClocks {
  monotonicMs(): number;
  wallMs(): number;
}

const PROCESS_CLOCKS: WatchedClocks = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/**
 * Notices that the process stood still (SIGSTOP, a paused or suspended machine, an event loop that was blocked for long):
 * the gap since its own last beat is too large. It is asked before something is done that only an owner may do, so that it
 * does not matter which timer fires first after waking. A wall clock that is set forward counts as a gap, which costs one
 * needless look.
 */
export class FreezeWatch {
  readonly #clocks: WatchedClocks;
  readonly #frozenAfterMs: number;
  readonly #timer: NodeJS.Timeout;
  #monotonicMs: number;
  #wallMs: number;
  #gaps = 0;

  constructor(frozenAfterMs: number = FROZEN_AFTER_MS, clocks: WatchedClocks = PROCESS_CLOCKS) {
    this.#clocks = clocks;
    this.#frozenAfterMs = frozenAfterMs;
    this.#monotonicMs = clocks.monotonicMs();
    this.#wallMs = clocks.wallMs();
    this.#timer = setInterval(() => this.gaps, Math.min(BEAT_MS, frozenAfterMs / 3));
    this.#timer.unref();
  }

  /** How often the process has stood still so far. */
  get gaps(): number {
    const monotonicMs = this.#clocks.monotonicMs();
    const wallMs = this.#clocks.wallMs();
    const gapMs = Math.max(monotonicMs - this.#monotonicMs, wallMs - this.#wallMs);
    if (gapMs > this.#frozenAfterMs) this.#gaps += 1;
    this.#monotonicMs = monotonicMs;
    this.#wallMs = wallMs;
    return this.#gaps;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
