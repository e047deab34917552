import type { KeyFinding } from './finding.ts';
import type { OpenKeys } from './open-keys.ts';
import { hashText, StateKind, type TopicState } from './topic-state.ts';

/** A value of a table without key that was not as often in the topic as in the table. */
export interface ValueCandidate {
  /** Hash of the row, 16 characters. */
  readonly key: string;
  rows: number;
  /** How often it was added to the topic more than taken away. */
  records: number;
  /** Whether the topic may have fewer of it: the snapshot's filter leaves it out. */
  readonly mayLack: boolean;
  /** A record that added it. */
  record: { readonly partition: number; readonly offset: number } | null;
  rowKey: Buffer | null;
  unchangedRounds: number;
}

/** Looks in a row at which nothing has changed after which a difference is one, where it is not known how far the topic is. */
const ROUNDS_UNCHANGED = 2;

/** The values that differed, until it is known why. */
export class ValueCandidates implements OpenKeys {
  readonly #open = new Map<string, ValueCandidate>();
  readonly #reread = new Map<string, { rows: number; rowKey: Buffer }>();
  readonly #looked = new Map<string, number>();
  readonly #confirmed: ValueCandidate[] = [];
  equal = 0;
  readonly partial = 0;

  constructor(candidates: Iterable<ValueCandidate>) {
    for (const candidate of candidates) {
      this.#open.set(candidate.key, candidate);
      this.#looked.set(candidate.key, candidate.records);
    }
  }

  get size(): number {
    return this.#open.size;
  }

  get confirmed(): readonly KeyFinding[] {
    return this.#confirmed.map(({ rows, records, rowKey, record }) => ({
      kind: rows > records ? 'missing' : 'extra',
      rowKey,
      record,
      copies: Math.abs(rows - records),
    }));
  }

  /** A table without key is read as a whole. */
  chunks(): null {
    return null;
  }

  places(): null {
    return null;
  }

  has(key: string): boolean {
    return this.#open.has(key);
  }

  apply(state: TopicState): void {
    if (state.kind === StateKind.truncate) {
      for (const candidate of [...this.#open.values()]) {
        candidate.records = 0;
        this.#settle(candidate);
      }
      return;
    }
    const candidate = this.#open.get(hashText(state.key, 0));
    if (candidate === undefined) return;
    candidate.records += state.kind === StateKind.row ? 1 : -1;
    if (state.kind === StateKind.row) candidate.record = { partition: state.partition, offset: state.offset };
    this.#settle(candidate);
  }

  addRow(key: string, rowKey: Buffer): void {
    const reread = this.#reread.get(key);
    if (reread === undefined) this.#reread.set(key, { rows: 1, rowKey: Buffer.from(rowKey) });
    else reread.rows += 1;
  }

  endReading(): void {
    for (const candidate of [...this.#open.values()]) {
      const reread = this.#reread.get(candidate.key);
      const rows = reread?.rows ?? 0;
      if (rows !== candidate.rows) candidate.unchangedRounds = -1;
      candidate.rows = rows;
      candidate.rowKey = reread?.rowKey ?? null;
      this.#settle(candidate);
    }
    this.#reread.clear();
  }

  endRound(isPassed: boolean): void {
    for (const candidate of [...this.#open.values()]) {
      if (this.#looked.get(candidate.key) !== candidate.records) candidate.unchangedRounds = -1;
      this.#looked.set(candidate.key, candidate.records);
      candidate.unchangedRounds += 1;
      if (candidate.unchangedRounds < (isPassed ? 1 : ROUNDS_UNCHANGED)) continue;
      this.#confirmed.push(candidate);
      this.#open.delete(candidate.key);
    }
  }

  #settle(candidate: ValueCandidate): void {
    const { records, rows, mayLack } = candidate;
    if (records !== rows && !(mayLack && records < rows)) return;
    this.equal += Math.max(0, Math.min(records, rows));
    this.#open.delete(candidate.key);
  }
}
