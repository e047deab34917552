import { Fields, setAttribute, setChildren } from './fields.js';
import { RateHistory } from './rate-history.js';
import { describeRows, describeSnapshot, fractionOf, isUnderWay, rowsOf } from './snapshot-progress.js';

/** @import { SnapshotStatus, SnapshotTableStatus } from '../../core/snapshot-status.ts' */

/** The pace of a snapshot is that of this long. */
const PACE_MS = 30_000;

/** The snapshot of one source: a line, and a progress bar for each table. */
export class SnapshotView {
  #fields;
  /** @type {Map<string, Fields>} */
  #rows = new Map();
  /** @type {RateHistory} */
  #pace = new RateHistory(PACE_MS);
  /** Which snapshot it is, and whether it had ended when it was shown last. */
  #shown = '';

  /**
   * @param {Fields} fields of the source
   * @param {string} source its name
   */
  constructor(fields, source) {
    this.#fields = fields;
    fields.attribute('scroll', 'aria-label', `Tables of the snapshot of ${source}`);
  }

  /**
   * @param {SnapshotStatus | null} snapshot
   * @param {number} seenMs by the clock of the browser
   * @param {number} nowMs by the clock of the daemon
   */
  update(snapshot, seenMs, nowMs) {
    const fields = this.#fields;
    fields.show('snapshot', snapshot !== null);
    if (snapshot === null) return;
    const underWay = isUnderWay(snapshot);
    this.#openOrClose(`${snapshot.started_at} ${underWay}`, underWay);
    this.#pace.add(seenMs, rowsOf(snapshot));
    const rowsPerSecond = this.#pace.growthPerSecond(PACE_MS);
    fields.text('snapshot-summary', describeSnapshot(snapshot, rowsPerSecond, nowMs));
    fields.show('waiting', underWay && snapshot.waiting_for !== null);
    fields.text('waiting-for', snapshot.waiting_for ?? '');
    this.#updateTables(snapshot);
    const scroll = fields.element('scroll');
    // What scrolls has to be reached by the keyboard; what does not scroll is no stop.
    if (scroll.scrollHeight > scroll.clientHeight) setAttribute(scroll, 'tabindex', '0');
    else scroll.removeAttribute('tabindex');
  }

  /**
   * Open while it is under way; what the reader has done to it since stays.
   * @param {string} shown
   * @param {boolean} isOpen
   */
  #openOrClose(shown, isOpen) {
    if (this.#shown === shown) return;
    if (this.#shown.split(' ')[0] !== shown.split(' ')[0]) this.#pace = new RateHistory(PACE_MS);
    this.#shown = shown;
    this.#fields.typed('snapshot', HTMLDetailsElement).open = isOpen;
  }

  /** @param {SnapshotStatus} snapshot */
  #updateTables({ tables }) {
    const names = new Set(tables.map(({ table }) => table));
    for (const name of this.#rows.keys()) if (!names.has(name)) this.#rows.delete(name);
    const rows = tables.map((table) => this.#updateTable(table));
    setChildren(this.#fields.element('tables'), rows);
  }

  /** @param {SnapshotTableStatus} status */
  #updateTable(status) {
    const { table } = status;
    const row = this.#rows.get(table) ?? new Fields('table-template');
    this.#rows.set(table, row);
    row.text('table', table);
    row.text('rows', describeRows(status));
    const fraction = fractionOf(status);
    // Without a value the bar says that something goes on, and not how far it is.
    if (fraction === null) row.element('bar').removeAttribute('value');
    else row.attribute('bar', 'value', String(fraction));
    row.attribute('bar', 'aria-label', `Progress of ${table}`);
    row.text('percent', status.done ? 'done' : fraction === null ? '?' : `${Math.floor(fraction * 100)} %`);
    return row.root;
  }
}
