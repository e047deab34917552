/** Numbers and times as the page shows them. Nothing here touches the document. */

const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** What stands where nothing is known. */
export const UNKNOWN = '–';

/** @param {number} count */
export function formatCount(count) {
  return WHOLE.format(count);
}

/**
 * Of something a second: one decimal while it says something.
 * @param {number} rate
 */
export function formatRate(rate) {
  return rate > 0 && rate < 9.95 ? rate.toFixed(1) : WHOLE.format(rate);
}

/** @param {number | null} bytes */
export function formatBytes(bytes) {
  if (bytes === null) return UNKNOWN;
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit > 0 && value < 99.95 ? value.toFixed(1) : WHOLE.format(value)} ${BYTE_UNITS[unit]}`;
}

/**
 * A duration in its two largest units; below ten seconds with one decimal.
 * @param {number | null} seconds
 */
export function formatSeconds(seconds) {
  if (seconds === null) return UNKNOWN;
  if (seconds < 9.95) return `${seconds <= 0 ? '0' : Math.max(seconds, 0.1).toFixed(1)} s`;
  return formatAge(Math.max(seconds, 10) * 1000);
}

/**
 * How long ago something was; whole seconds.
 * @param {number} ms
 */
export function formatAge(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes < 10 ? join(minutes, 'min', seconds % 60, 's') : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? join(hours, 'h', minutes % 60, 'min') : join(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/**
 * Time of day of the reader; with the date where it is another day than `nowMs`.
 * @param {number} ms
 * @param {number} nowMs
 */
export function formatTime(ms, nowMs) {
  const time = new Date(ms);
  const two = (/** @type {number} */ value) => String(value).padStart(2, '0');
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
  if (time.toDateString() === new Date(nowMs).toDateString()) return clock;
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${clock}`;
}

/**
 * @param {number} large
 * @param {string} largeUnit
 * @param {number} small
 * @param {string} smallUnit
 */
function join(large, largeUnit, small, smallUnit) {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
