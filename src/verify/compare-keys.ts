import type { Candidate } from './candidate.ts';
import { EntryGroups, NO_ENTRY } from './entry-groups.ts';
import type { LoadedEntries } from './parted-entries.ts';
import { chunkOf, FORM_WORDS, formText, isOutside, isToleratedForm } from './row-entry.ts';
import { hashText, STATE_WORDS, StateKind } from './topic-state.ts';
import { Truncates } from './truncates.ts';

export interface PartCounts {
  equal: number;
  /** Equal as far as the topic knows their columns. */
  partial: number;
  /** Equal but for a defect that is tolerated. */
  tolerated: number;
  /** Rows that the snapshot's filter leaves out, and of which the topic has nothing: not equal, and no difference. */
  outside: number;
}

/**
 * Compares one part of a topic with keys with the same part of its table. A key is equal where any state that the topic had
 * from the moment on at which reading the table began is a form of its row: a change that was read from the table reaches
 * the topic later. What is not equal is given to `differing`.
 *
 * @param settled states before that moment
 */
export function compareKeys(
  topic: LoadedEntries,
  settled: number,
  table: LoadedEntries,
  differing: (candidate: Candidate) => void,
): PartCounts {
  const comparison = new KeyComparison(topic, settled, table);
  return comparison.run(differing);
}

class KeyComparison {
  readonly #topic: LoadedEntries;
  readonly #table: LoadedEntries;
  readonly #groups: EntryGroups;
  /** By group: its newest settled state; its first and last later state; the first form of its row. */
  readonly #base: Int32Array;
  readonly #firstLater: Int32Array;
  readonly #lastLater: Int32Array;
  readonly #firstForm: Int32Array;
  readonly #nextLater: Int32Array;
  readonly #nextForm: Int32Array;
  readonly #isOutside: Uint8Array;
  readonly #truncatesBefore = new Truncates();
  readonly #truncates = new Truncates();
  #isTruncatedLater = false;
  readonly #counts: PartCounts = { equal: 0, partial: 0, tolerated: 0, outside: 0 };

  constructor(topic: LoadedEntries, settled: number, table: LoadedEntries) {
    this.#topic = topic;
    this.#table = table;
    const most = topic.count + table.count;
    this.#groups = new EntryGroups(topic, STATE_WORDS, table, FORM_WORDS);
    this.#base = new Int32Array(most).fill(NO_ENTRY);
    this.#firstLater = new Int32Array(most).fill(NO_ENTRY);
    this.#lastLater = new Int32Array(most).fill(NO_ENTRY);
    this.#firstForm = new Int32Array(most).fill(NO_ENTRY);
    this.#nextLater = new Int32Array(topic.count).fill(NO_ENTRY);
    this.#nextForm = new Int32Array(table.count).fill(NO_ENTRY);
    this.#isOutside = new Uint8Array(most);
    for (let entry = 0; entry < topic.count; entry++) this.#addState(entry, entry < settled);
    for (let form = 0; form < table.count; form++) {
      const group = this.#groups.of(1, form);
      if (isOutside(table.words, form * FORM_WORDS)) {
        this.#isOutside[group] = 1;
        continue;
      }
      this.#nextForm[form] = this.#firstForm[group]!;
      this.#firstForm[group] = form;
    }
  }

  run(differing: (candidate: Candidate) => void): PartCounts {
    for (let group = 0; group < this.#groups.count; group++) {
      if (!this.#isEqual(group)) differing(this.#candidate(group));
    }
    return this.#counts;
  }

  #addState(entry: number, isSettled: boolean): void {
    if (this.#kind(entry) === StateKind.truncate) {
      const place = [this.#partition(entry), this.#offset(entry), this.#timestampMs(entry)] as const;
      this.#truncates.add(...place);
      if (isSettled) this.#truncatesBefore.add(...place);
      else this.#isTruncatedLater = true;
      return;
    }
    const group = this.#groups.of(0, entry);
    if (isSettled) {
      const known = this.#base[group]!;
      if (known === NO_ENTRY || this.#isNewer(entry, known)) this.#base[group] = entry;
      return;
    }
    const last = this.#lastLater[group]!;
    if (last === NO_ENTRY) this.#firstLater[group] = entry;
    else this.#nextLater[last] = entry;
    this.#lastLater[group] = entry;
  }

  #isEqual(group: number): boolean {
    const base = this.#base[group]!;
    const hasRow = this.#firstForm[group] !== NO_ENTRY;
    if (this.#isOutside[group] === 1 && base === NO_ENTRY && this.#firstLater[group] === NO_ENTRY) {
      this.#counts.outside += 1;
      return true;
    }
    const gone = base === NO_ENTRY ? 'yes' : this.#follow(this.#truncatesBefore, base);
    if (gone !== 'no' && !hasRow) return this.#equal(hasRow);
    if (gone !== 'yes' && this.#matches(group, base)) return true;
    for (let entry = this.#firstLater[group]!; entry !== NO_ENTRY; entry = this.#nextLater[entry]!) {
      if (this.#matches(group, entry)) return true;
    }
    return this.#isTruncatedLater && !hasRow && this.#equal(hasRow);
  }

  /** A key that is neither in the topic nor in the table is not counted. */
  #equal(hasRow: boolean): true {
    if (hasRow) this.#counts.equal += 1;
    return true;
  }

  #matches(group: number, entry: number): boolean {
    const kind = this.#kind(entry);
    const first = this.#firstForm[group]!;
    if (kind === StateKind.deleted) return first === NO_ENTRY && this.#equal(false);
    if (kind === StateKind.damaged) return false;
    const columnSet = this.#topic.words[entry * STATE_WORDS + 8]! >>> 8;
    for (let form = first; form !== NO_ENTRY; form = this.#nextForm[form]!) {
      if (!this.#isForm(form, entry, columnSet)) continue;
      if (kind === StateKind.partial) this.#counts.partial += 1;
      if (isToleratedForm(this.#table.words, form * FORM_WORDS)) this.#counts.tolerated += 1;
      return this.#equal(true);
    }
    return false;
  }

  #isForm(form: number, entry: number, columnSet: number): boolean {
    const { words: forms } = this.#table;
    const { words: states } = this.#topic;
    const at = form * FORM_WORDS;
    const stateAt = entry * STATE_WORDS + 4;
    if (forms[at + 8] !== columnSet) return false;
    for (let i = 0; i < 4; i++) if (forms[at + 4 + i] !== states[stateAt + i]) return false;
    return true;
  }

  #candidate(group: number): Candidate {
    const { words, at } = this.#groups.hashOf(group);
    const forms: string[] = [];
    let chunk = -1;
    for (let form = this.#firstForm[group]!; form !== NO_ENTRY; form = this.#nextForm[form]!) {
      forms.push(formText(this.#table.words, form * FORM_WORDS));
      chunk = chunkOf(this.#table.words, form * FORM_WORDS);
    }
    let last = this.#base[group]!;
    for (let entry = this.#firstLater[group]!; entry !== NO_ENTRY; entry = this.#nextLater[entry]!) {
      if (last === NO_ENTRY || this.#isNewer(entry, last)) last = entry;
    }
    const isGone = last !== NO_ENTRY && this.#follow(this.#truncates, last) === 'yes';
    return {
      key: hashText(words, at),
      forms: forms.sort(),
      chunk,
      topic: last === NO_ENTRY || isGone ? null : this.#seen(last),
      rowKey: null,
      place: null,
      unchangedRounds: 0,
    };
  }

  #seen(entry: number): Candidate['topic'] {
    const at = entry * STATE_WORDS;
    const { words } = this.#topic;
    return {
      kind: this.#kind(entry),
      form: `${words[at + 8]! >>> 8}:${hashText(words, at + 4)}`,
      partition: this.#partition(entry),
      offset: this.#offset(entry),
      timestampMs: this.#timestampMs(entry),
    };
  }

  /** Of one partition the later one is newer; of two, which happens where their number grew, the one written later. */
  #isNewer(entry: number, known: number): boolean {
    if (this.#partition(entry) === this.#partition(known)) return this.#offset(entry) > this.#offset(known);
    return this.#timestampMs(entry) >= this.#timestampMs(known);
  }

  #follow(truncates: Truncates, entry: number): 'yes' | 'no' | 'perhaps' {
    if (truncates.none) return 'no';
    return truncates.follow(this.#partition(entry), this.#offset(entry), this.#timestampMs(entry));
  }

  #kind(entry: number): StateKind {
    return (this.#topic.words[entry * STATE_WORDS + 8]! & 0xff) as StateKind;
  }

  #partition(entry: number): number {
    return this.#topic.words[entry * STATE_WORDS + 9]!;
  }

  #offset(entry: number): number {
    return this.#topic.doubles[entry * (STATE_WORDS / 2) + 5]!;
  }

  #timestampMs(entry: number): number {
    return this.#topic.doubles[entry * (STATE_WORDS / 2) + 6]!;
  }
}
