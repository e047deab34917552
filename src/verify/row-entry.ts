import { HASH_WORDS } from './hash-128.ts';
import type { RowForm } from './row-states.ts';
import { hashText } from './topic-state.ts';

/** 32-bit words of a form of a row among `PartedEntries`: key, row, column set, chunk and what else is known of it. */
export const FORM_WORDS = 10;

const TOLERATED = 1;
const OUTSIDE = 2;
const FLAG_BITS = 2;

/** Writes a form as an entry that begins at word `at`. */
export function putForm(key: Int32Array, form: RowForm, chunk: number, words: Int32Array, at: number): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    words[at + i] = key[i]!;
    words[at + HASH_WORDS + i] = form.row[i]!;
  }
  words[at + 8] = form.columnSet;
  words[at + 9] = (chunk << FLAG_BITS) | (form.isTolerated ? TOLERATED : 0);
}

/** Writes as an entry that the snapshot's filter leaves the row of this key out: it stands beside the forms of the row. */
export function putOutside(key: Int32Array, words: Int32Array, at: number): void {
  words.fill(0, at, at + FORM_WORDS);
  words.set(key, at);
  words[at + 9] = OUTSIDE;
}

export function isOutside(words: Int32Array, at: number): boolean {
  return (words[at + 9]! & OUTSIDE) !== 0;
}

export function chunkOf(words: Int32Array, at: number): number {
  return words[at + 9]! >> FLAG_BITS;
}

export function isToleratedForm(words: Int32Array, at: number): boolean {
  return (words[at + 9]! & TOLERATED) !== 0;
}

/** A form as text: equal to that of the state that has it. */
export function formText(words: Int32Array, at: number): string {
  return `${words[at + 8]!}:${hashText(words, at + HASH_WORDS)}`;
}
