import { HASH_WORDS } from './hash-128.ts';

/** What a record leaves its key in. In a topic without keys: that a value was added or taken away. */
export const StateKind = {
  row: 1,
  deleted: 2,
  /** A row of which some columns are unknown: `columnSet` names them. */
  partial: 3,
  /** Everything before is gone; has no key. */
  truncate: 4,
  /** A record that cannot be read: like no row at all. */
  damaged: 5,
} as const;
export type StateKind = (typeof StateKind)[keyof typeof StateKind];

/** One state, reused from record to record. */
export class TopicState {
  /** Hash of the key; of the value in a topic without keys. */
  readonly key = new Int32Array(HASH_WORDS);
  /** Hash of the row, without the columns of `columnSet`. */
  readonly row = new Int32Array(HASH_WORDS);
  kind: StateKind = StateKind.row;
  columnSet = 0;
  partition = 0;
  offset = 0;
  timestampMs = 0;
}

/** 32-bit words of a state among `PartedEntries`: key, row, kind and column set, partition, offset, time. */
export const STATE_WORDS = 14;

/** Writes a state as an entry that begins at word `at`. */
export function putState(state: TopicState, words: Int32Array, doubles: Float64Array, at: number): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    words[at + i] = state.key[i]!;
    words[at + HASH_WORDS + i] = state.row[i]!;
  }
  words[at + 8] = state.kind | (state.columnSet << 8);
  words[at + 9] = state.partition;
  doubles[at / 2 + 5] = state.offset;
  doubles[at / 2 + 6] = state.timestampMs;
}

/** A hash as text of 16 characters, for maps. */
export function hashText(words: Int32Array, at: number): string {
  return Buffer.from(words.buffer, words.byteOffset + at * 4, HASH_WORDS * 4).toString('latin1');
}
