import { Fields, setAttribute } from './fields.js';
import { formatAge, formatBytes, formatCount, formatRate, formatSeconds, formatTime, UNKNOWN } from './format.js';
import { ratePaths, scaleTop } from './rate-chart.js';
import { RateHistory } from './rate-history.js';
import { SnapshotView } from './snapshot-view.js';
import { describeAttempts, errorRole, nextCommand, toneOf } from './source-text.js';

/** @import { SourceStatus } from '../../core/source-status.ts' */

const WINDOW_MS = 300_000;
/** Hidden pages are asked less often; what is further apart than this is a gap. */
const GAP_MS = 30_000;
/** Of the view box of the chart. */
const CHART = { width: 300, height: 40 };
const ERROR_TITLES = { standing: 'Stands still because of', recent: 'Last error', past: 'Last error, got over' };

/** Everything about one source. */
export class SourceCard {
  #fields = new Fields('source-template');
  #history = new RateHistory(WINDOW_MS);
  #snapshot;
  /** Which error it is and what it means, as shown last. */
  #shownError = '';

  /**
   * @param {string} name
   * @param {string} id of the element
   */
  constructor(name, id) {
    const heading = `${id}-name`;
    this.root.id = id;
    this.root.setAttribute('aria-labelledby', heading);
    this.#fields.attribute('name', 'id', heading);
    this.#fields.text('name', name);
    this.#snapshot = new SnapshotView(this.#fields, name);
  }

  get root() {
    return this.#fields.root;
  }

  /**
   * @param {SourceStatus} source
   * @param {number} seenMs by the clock of the browser
   * @param {number} nowMs by the clock of the daemon
   */
  update(source, seenMs, nowMs) {
    const fields = this.#fields;
    const sinceMs = Date.parse(source.since);
    setAttribute(this.root, 'data-tone', toneOf(source.state));
    fields.attribute('badge', 'data-tone', toneOf(source.state));
    fields.text('type', source.type);
    fields.text('state', source.state);
    fields.text('since', `for ${formatAge(nowMs - sinceMs)}`);
    fields.attribute('since', 'datetime', source.since);
    fields.attribute('since', 'title', `since ${formatTime(sinceMs, nowMs)}`);
    fields.text('lag', formatSeconds(source.lag_seconds));
    fields.text('rate', formatRate(source.changes_per_second));
    fields.text('total', formatCount(source.changes_total));
    fields.text('in-flight', formatBytes(source.in_flight_bytes));
    fields.text('retained', formatBytes(source.retained_wal_bytes));
    fields.text('position', source.position ?? UNKNOWN);
    this.#history.add(seenMs, source.changes_per_second);
    this.#draw(source, seenMs);
    this.#tellNext(source);
    this.#tellError(source, nowMs);
    this.#snapshot.update(source.snapshot, seenMs, nowMs);
  }

  /**
   * @param {SourceStatus} source
   * @param {number} nowMs
   */
  #draw({ name, changes_per_second: rate }, nowMs) {
    const { peak, samples } = this.#history;
    const top = scaleTop(peak);
    const { line, area } = ratePaths(samples, { ...CHART, nowMs, windowMs: WINDOW_MS, top, gapMs: GAP_MS });
    this.#fields.attribute('line', 'd', line);
    this.#fields.attribute('area', 'd', area);
    this.#fields.text('scale', `0–${formatCount(top)}`);
    const values = `${formatRate(rate)} now, ${formatRate(peak)} at most`;
    this.#fields.attribute('chart', 'aria-label', `Changes per second of ${name} in the last 5 minutes: ${values}`);
  }

  /** @param {SourceStatus} source */
  #tellNext(source) {
    const next = nextCommand(source);
    this.#fields.show('next', next !== null);
    if (next === null) return;
    this.#fields.text('next-lead', next.lead);
    this.#fields.text('next-command', next.command);
  }

  /**
   * @param {SourceStatus} source
   * @param {number} nowMs
   */
  #tellError(source, nowMs) {
    const fields = this.#fields;
    const role = errorRole(source);
    const error = source.last_error;
    fields.show('trouble', role !== null);
    if (role === null || error === null) return;
    const shown = `${role} ${error.code}`;
    // Once for each error: whether it is open is the reader's then.
    if (this.#shownError !== shown) fields.typed('trouble', HTMLDetailsElement).open = role !== 'past';
    this.#shownError = shown;
    fields.attribute('trouble', 'data-tone', { standing: toneOf(source.state), recent: 'warn', past: 'rest' }[role]);
    fields.text('error-title', ERROR_TITLES[role]);
    fields.text('error-code', error.code);
    fields.text('error-message', error.message);
    fields.text('error-remedy', error.remedy);
    fields.text('error-attempts', describeAttempts(source, nowMs));
  }
}
