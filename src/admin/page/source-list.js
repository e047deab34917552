import { elementById, Fields, setChildren, setText } from './fields.js';
import { SourceCard } from './source-card.js';
import { announcement, toneOf } from './source-text.js';

/** @import { SourceStatus, SourceStateName } from '../../core/source-status.ts' */

/** @typedef {{ card: SourceCard, state: SourceStateName }} Shown */

/** All sources in the order of the configuration, and above them how many are in which state. */
export class SourceList {
  #list = elementById('list', HTMLElement);
  #summary = elementById('summary', HTMLElement);
  #empty = elementById('empty', HTMLElement);
  #news = elementById('news', HTMLElement);
  /** @type {Map<string, Shown>} */
  #shown = new Map();
  /** @type {Map<string, Fields>} */
  #states = new Map();
  #nextId = 0;

  /**
   * @param {readonly SourceStatus[]} sources
   * @param {number} aheadMs how far the clock of the daemon is before that of the browser
   */
  update(sources, aheadMs) {
    const seenMs = Date.now();
    const names = new Set(sources.map(({ name }) => name));
    for (const name of this.#shown.keys()) if (!names.has(name)) this.#shown.delete(name);
    const news = [];
    for (const source of sources) {
      const before = this.#shown.get(source.name);
      const card = before?.card ?? new SourceCard(source.name, `source-${this.#nextId++}`);
      this.#shown.set(source.name, { card, state: source.state });
      card.update(source, seenMs, seenMs + aheadMs);
      if (before !== undefined && before.state !== source.state) news.push(announcement(source));
    }
    const cards = sources.map(({ name }) => /** @type {Shown} */ (this.#shown.get(name)).card.root);
    setChildren(this.#list, cards);
    this.#empty.hidden = sources.length > 0;
    this.#summarise(sources);
    if (news.length > 0) setText(this.#news, `${news.join('. ')}.`);
  }

  /** Nothing is shown any more. */
  clear() {
    this.#shown.clear();
    setChildren(this.#list, []);
    this.#empty.hidden = true;
    setText(this.#news, '');
    this.#summarise([]);
  }

  /** @param {readonly SourceStatus[]} sources */
  #summarise(sources) {
    const byState = Map.groupBy(sources, ({ state }) => state);
    const items = [...byState].map(([state, inIt]) => {
      const fields = this.#states.get(state) ?? new Fields('summary-template');
      this.#states.set(state, fields);
      fields.text('count', String(inIt.length));
      fields.text('state', state);
      fields.attribute('link', 'data-tone', toneOf(state));
      const first = inIt[0]?.name ?? '';
      fields.attribute('link', 'href', `#${this.#shown.get(first)?.card.root.id ?? ''}`);
      return fields.root;
    });
    setChildren(this.#summary, items);
    const wanted = sources.filter(({ state }) => toneOf(state) === 'bad').length;
    const title = wanted === 0 ? 'tailrace' : `(${wanted}) tailrace`;
    if (document.title !== title) document.title = title;
  }
}
