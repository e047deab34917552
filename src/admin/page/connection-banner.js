import { elementById, setAttribute, setText } from './fields.js';
import { formatAge, formatTime } from './format.js';

/** Whether what is shown is of now. */
export class ConnectionBanner {
  #connection = elementById('connection', HTMLElement);
  #connectionText = elementById('connection-text', HTMLElement);
  #banner = elementById('banner', HTMLElement);
  #alert = elementById('banner-alert', HTMLElement);
  #detail = elementById('banner-detail', HTMLElement);
  /** @type {number | null} */
  #answeredAtMs = null;

  /** The daemon answered. */
  answered() {
    const nowMs = Date.now();
    this.#answeredAtMs = nowMs;
    this.#show('good', `Live, ${formatTime(nowMs, nowMs)}`);
    this.#tell('', '');
  }

  needsToken() {
    this.#answeredAtMs = null;
    this.#show('rest', 'Needs a token');
    this.#tell('', '');
  }

  /**
   * @param {string} what it does not do
   * @param {string} detail a sentence
   * @param {number} retryMs pause before the next attempt
   */
  failed(what, detail, retryMs) {
    const nowMs = Date.now();
    const atMs = this.#answeredAtMs;
    const age = atMs === null ? 'Nothing is known yet.' : `What is shown is of ${formatTime(atMs, nowMs)}`;
    const known = atMs === null ? age : `${age}, ${formatAge(nowMs - atMs)} ago.`;
    this.#show('bad', 'Not connected');
    // The first is read out when it appears; the second changes with every attempt, and is not.
    this.#tell(
      `The daemon at ${location.host} ${what}.`,
      `${detail} ${known} It is asked again every ${retryMs / 1000} s.`,
    );
  }

  /**
   * @param {string} tone
   * @param {string} text
   */
  #show(tone, text) {
    setAttribute(this.#connection, 'data-tone', tone);
    setText(this.#connectionText, text);
  }

  /**
   * @param {string} alert
   * @param {string} detail
   */
  #tell(alert, detail) {
    setText(this.#alert, alert);
    setText(this.#detail, detail);
    this.#banner.classList.toggle('shown', alert !== '');
    document.body.classList.toggle('stale', alert !== '');
  }
}
