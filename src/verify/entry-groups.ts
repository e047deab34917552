import { HASH_WORDS } from './hash-128.ts';
import type { LoadedEntries } from './parted-entries.ts';

/** A list of entries: `next[i]` follows entry `i`. */
export const NO_ENTRY = -1;

/** Entries of a part's two sides, gathered by the hash that each begins with. */
export class EntryGroups {
  readonly #sides: readonly [LoadedEntries, LoadedEntries];
  readonly #entryWords: readonly [number, number];
  /** Group of a slot, plus one. */
  readonly #slots: Int32Array;
  /** An entry of each group: of the first side as it is, of the second as its complement. */
  readonly #samples: Int32Array;
  count = 0;

  constructor(first: LoadedEntries, firstWords: number, second: LoadedEntries, secondWords: number) {
    this.#sides = [first, second];
    this.#entryWords = [firstWords, secondWords];
    const entries = first.count + second.count;
    let slots = 16;
    while (slots < entries * 2) slots *= 2;
    this.#slots = new Int32Array(slots);
    this.#samples = new Int32Array(entries);
  }

  /** The group of an entry of side 0 or 1; a new one where there is none. */
  of(side: 0 | 1, entry: number): number {
    const { words } = this.#sides[side];
    const at = entry * this.#entryWords[side];
    const mask = this.#slots.length - 1;
    for (let slot = words[at + 3]! & mask; ; slot = (slot + 1) & mask) {
      const group = this.#slots[slot]! - 1;
      if (group < 0) {
        this.#samples[this.count] = side === 0 ? entry : ~entry;
        this.#slots[slot] = this.count + 1;
        return this.count++;
      }
      if (this.#isSame(group, words, at)) return group;
    }
  }

  /** Words and place of a group's hash. */
  hashOf(group: number): { readonly words: Int32Array; readonly at: number } {
    const sample = this.#samples[group]!;
    const side = sample >= 0 ? 0 : 1;
    const entry = sample >= 0 ? sample : ~sample;
    return { words: this.#sides[side].words, at: entry * this.#entryWords[side] };
  }

  #isSame(group: number, words: Int32Array, at: number): boolean {
    const known = this.hashOf(group);
    for (let i = 0; i < HASH_WORDS; i++) if (known.words[known.at + i] !== words[at + i]) return false;
    return true;
  }
}
