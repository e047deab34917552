/** @import { Sample } from './rate-history.js' */

/**
 * @typedef {object} ChartFrame
 * @property {number} nowMs the right edge
 * @property {number} windowMs
 * @property {number} top the value at the upper edge, above 0
 * @property {number} width
 * @property {number} height
 * @property {number} gapMs samples further apart than this are not joined: nobody knows what was in between
 */

/**
 * The paths of an SVG: the line through the samples, and the area below it.
 * @param {readonly Sample[]} samples in order of time
 * @param {ChartFrame} frame
 */
export function ratePaths(samples, { nowMs, windowMs, top, width, height, gapMs }) {
  const x = (/** @type {Sample} */ { atMs }) => round(width * Math.max(0, 1 - (nowMs - atMs) / windowMs));
  const y = (/** @type {Sample} */ { value }) => round(height * (1 - Math.min(value / top, 1)));
  let line = '';
  let area = '';
  for (const run of runsOf(samples, gapMs)) {
    const points = run.map((sample) => `${x(sample)} ${y(sample)}`).join('L');
    // A lone point has no length: the round end of the line makes it a dot.
    line += run.length === 1 ? `M${points}h0` : `M${points}`;
    area += `M${points}V${height}H${run.slice(0, 1).map(x)}Z`;
  }
  return { line, area };
}

/**
 * The next of 1, 2, 5, 10, 20, … from a value on, so that the scale does not move with every sample.
 * @param {number} value
 */
export function scaleTop(value) {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5].map((step) => step * power).find((step) => value <= step) ?? 10 * power;
}

/**
 * @param {readonly Sample[]} samples
 * @param {number} gapMs
 */
function runsOf(samples, gapMs) {
  /** @type {Sample[][]} */
  const runs = [];
  /** @type {Sample[]} */
  let run = [];
  for (const sample of samples) {
    const last = run.at(-1);
    if (last === undefined || sample.atMs - last.atMs > gapMs) {
      run = [];
      runs.push(run);
    }
    run.push(sample);
  }
  return runs;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
