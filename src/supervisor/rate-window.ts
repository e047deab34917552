const WINDOW_SECONDS = 10;

/** Events per second over the last ten seconds, in one small array however many events there are. */
export class RateWindow {
  /** Events by second, slot = second modulo the length; the running second has a slot of its own. */
  readonly #counts = new Float64Array(WINDOW_SECONDS + 1);
  #startedAtMs: number | null = null;
  #second = 0;

  add(nowMs: number, events: number): void {
    this.#startedAtMs ??= nowMs;
    this.#advance(nowMs);
    this.#counts[this.#second % this.#counts.length]! += events;
  }

  /** 0 before the first event. While younger than the window, the mean over its age (at least a second). */
  perSecond(nowMs: number): number {
    if (this.#startedAtMs === null) return 0;
    this.#advance(nowMs);
    let sum = 0;
    for (const count of this.#counts) sum += count;
    // The window is the ten full seconds before the running one, and that.
    const spanSeconds = WINDOW_SECONDS + (nowMs / 1000 - Math.floor(nowMs / 1000));
    const ageSeconds = (nowMs - this.#startedAtMs) / 1000;
    return sum / Math.max(1, Math.min(spanSeconds, ageSeconds));
  }

  #advance(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) return;
    const passed = second - this.#second;
    if (passed < 0 || passed >= this.#counts.length) {
      // Nothing of the window is left, or the clock was set back.
      this.#counts.fill(0);
      if (passed < 0) this.#startedAtMs = nowMs;
    } else {
      for (let step = 1; step <= passed; step += 1) this.#counts[(this.#second + step) % this.#counts.length] = 0;
    }
    this.#second = second;
  }
}
