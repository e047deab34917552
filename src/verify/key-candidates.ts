import type { RowKey } from '../core/snapshot.ts';
import type { Candidate } from './candidate.ts';
import type { KeyFinding } from './finding.ts';
import type { OpenKeys } from './open-keys.ts';
import type { RowForm } from './row-states.ts';
import { hashText, StateKind, type TopicState } from './topic-state.ts';
import { Truncates } from './truncates.ts';

/** Looks in a row at which nothing has changed after which a difference is one, where it is not known how far the topic is. */
const ROUNDS_UNCHANGED = 2;

/** A row of the table that was read again. */
export interface RereadRow {
  readonly key: string;
  readonly chunk: number;
  readonly rowKey: Buffer;
  readonly place: RowKey | null;
}

/**
 * Keys that differed, until it is known why: those whose change was on its way become equal as the topic is read on, or as
 * the table is read again; what stays as it is, in the table and in the topic, is different.
 */
export class KeyCandidates implements OpenKeys {
  readonly #open = new Map<string, Candidate>();
  readonly #reread = new Map<string, RereadRow & { readonly forms: string[] }>();
  /** Offsets at the last look, by key. */
  readonly #looked = new Map<string, string>();
  readonly #truncates = new Truncates();
  readonly #confirmed: Candidate[] = [];
  /** Keys that turned out to be equal, and have a row. */
  equal = 0;
  partial = 0;

  constructor(candidates: Iterable<Candidate>) {
    for (const candidate of candidates) {
      this.#open.set(candidate.key, candidate);
      this.#looked.set(candidate.key, placeOf(candidate));
    }
  }

  get size(): number {
    return this.#open.size;
  }

  get confirmed(): readonly KeyFinding[] {
    return this.#confirmed.map((candidate) => {
      const { forms, topic, rowKey } = candidate;
      const kind = isGone(candidate) ? 'missing' : forms.length === 0 ? 'extra' : 'different';
      return { kind, rowKey, record: topic, copies: 1 };
    });
  }

  chunks(): readonly number[] | null {
    const chunks = new Set<number>();
    for (const { chunk } of this.#open.values()) {
      if (chunk < 0) return null;
      chunks.add(chunk);
    }
    return [...chunks].sort((a, b) => a - b);
  }

  places(): readonly RowKey[] | null {
    const places: RowKey[] = [];
    for (const { place } of this.#open.values()) {
      if (place === null) return null;
      places.push(place);
    }
    return places;
  }

  has(key: string): boolean {
    return this.#open.has(key);
  }

  /** The topic was read on: a key that reaches its row's state is equal. */
  apply(state: TopicState): void {
    if (this.#open.size === 0) return;
    if (state.kind === StateKind.truncate) {
      this.#truncate(state);
      return;
    }
    const key = hashText(state.key, 0);
    const candidate = this.#open.get(key);
    if (candidate === undefined || !isNewer(state, candidate)) return;
    const { kind, partition, offset, timestampMs } = state;
    candidate.topic = { kind, form: `${state.columnSet}:${hashText(state.row, 0)}`, partition, offset, timestampMs };
    this.#settle(candidate);
  }

  /** A form of a row of the table that is read again. */
  addForm(row: RereadRow, form: RowForm): void {
    let reread = this.#reread.get(row.key);
    if (reread === undefined) {
      reread = { ...row, forms: [] };
      this.#reread.set(row.key, reread);
    }
    reread.forms.push(`${form.columnSet}:${hashText(form.row, 0)}`);
  }

  /** The table was read again, as it was when the topic stood where it stands. */
  endReading(): void {
    for (const candidate of [...this.#open.values()]) {
      const reread = this.#reread.get(candidate.key);
      const forms = reread?.forms.sort() ?? [];
      if (forms.join() !== candidate.forms.join()) candidate.unchangedRounds = -1;
      candidate.forms = forms;
      candidate.chunk = reread?.chunk ?? -1;
      candidate.rowKey = reread?.rowKey ?? null;
      candidate.place = reread?.place ?? null;
      this.#settle(candidate);
    }
    this.#reread.clear();
  }

  /** The topic was given time to follow the last reading of the table. Those that did not change count it. */
  endRound(isPassed: boolean): void {
    for (const candidate of [...this.#open.values()]) {
      const place = placeOf(candidate);
      if (this.#looked.get(candidate.key) !== place) candidate.unchangedRounds = -1;
      this.#looked.set(candidate.key, place);
      candidate.unchangedRounds += 1;
      if (candidate.unchangedRounds < (isPassed ? 1 : ROUNDS_UNCHANGED)) continue;
      this.#confirmed.push(candidate);
      this.#open.delete(candidate.key);
    }
  }

  #settle(candidate: Candidate): void {
    const { topic, forms } = candidate;
    if (topic === null || topic.kind === StateKind.deleted) {
      if (forms.length > 0) return;
    } else {
      if (topic.kind === StateKind.damaged || !forms.includes(topic.form)) return;
      this.equal += 1;
      if (topic.kind === StateKind.partial) this.partial += 1;
    }
    this.#open.delete(candidate.key);
  }

  #truncate({ partition, offset, timestampMs }: TopicState): void {
    this.#truncates.add(partition, offset, timestampMs);
    for (const candidate of [...this.#open.values()]) {
      const { topic } = candidate;
      if (topic === null) continue;
      if (this.#truncates.follow(topic.partition, topic.offset, topic.timestampMs) !== 'yes') continue;
      candidate.topic = null;
      this.#settle(candidate);
    }
  }
}

function isNewer(state: TopicState, { topic }: Candidate): boolean {
  if (topic === null) return true;
  return state.partition === topic.partition ? state.offset > topic.offset : state.timestampMs >= topic.timestampMs;
}

function isGone({ topic }: Candidate): boolean {
  return topic === null || topic.kind === StateKind.deleted;
}

function placeOf({ topic }: Candidate): string {
  return topic === null ? '' : `${topic.partition}/${topic.offset}`;
}
