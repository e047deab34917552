/**
 * @typedef {object} Sample
 * @property {number} atMs
 * @property {number} value not negative
 */

/** What was seen of one number over the last minutes. It is kept in the page alone and begins anew with it. */
export class RateHistory {
  /** @type {Sample[]} */
  #samples = [];
  #windowMs;

  /** @param {number} windowMs samples older than this are forgotten. */
  constructor(windowMs) {
    this.#windowMs = windowMs;
  }

  /** @returns {readonly Sample[]} in order of time. */
  get samples() {
    return this.#samples;
  }

  /**
   * @param {number} atMs not before the last one
   * @param {number} value
   */
  add(atMs, value) {
    const last = this.#samples.at(-1);
    // A clock that was set back: what was seen cannot be drawn beside what comes.
    if (last !== undefined && last.atMs > atMs) this.#samples = [];
    this.#samples.push({ atMs, value });
    const from = atMs - this.#windowMs;
    // One older sample stays: the line begins at the edge of the window.
    const inside = this.#samples.findIndex((sample) => sample.atMs > from);
    if (inside > 1) this.#samples.splice(0, inside - 1);
  }

  get peak() {
    return this.#samples.reduce((most, { value }) => Math.max(most, value), 0);
  }

  /**
   * Growth a second between the oldest sample of the last `spanMs` and the newest; null where there is too little to tell,
   * or where the number fell, as after a restart.
   * @param {number} spanMs
   */
  growthPerSecond(spanMs) {
    const last = this.#samples.at(-1);
    const first = this.#samples.find(({ atMs }) => last !== undefined && last.atMs - atMs <= spanMs);
    if (first === undefined || last === undefined || last.atMs - first.atMs < 1_000) return null;
    return last.value < first.value ? null : ((last.value - first.value) / (last.atMs - first.atMs)) * 1000;
  }
}
