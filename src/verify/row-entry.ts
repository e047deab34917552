import { HASH_WORDS } from './hash-128.ts';
import type { RowForm } from './row-states.ts';
import { hashText } from './topic-state.ts';

/** 32-bit words of a form of a row among `PartedEntries`: key, row, column set, chunk and whether it is a tolerated form. */
export const FORM_WORDS = 10;

/** Writes a form as an entry that begins at word `at`. */
export function putForm(key: Int32Array, form: RowForm, chunk: number, words: Int32Array, at: number): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    words[at + i] = key[i]!;
    words[at + HASH_WORDS + i] = form.row[i]!;
  }
  words[at + 8] = form.columnSet;
  words[at + 9] = (chunk << 1) | (form.isTolerated ? 1 : 0);
}

export function isToleratedForm(words: Int32Array, at: number): boolean {
  return (words[at + 9]! & 1) === 1;
}

/** A form as text: equal to that of the state that has it. */
export function formText(words: Int32Array, at: number): string {
  return `${words[at + 8]!}:${hashText(words, at + HASH_WORDS)}`;
}
