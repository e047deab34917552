const FEWEST_BITS = 1 << 16;
const MOST_BITS = 2 ** 27;

/** Remembers hashes, in one bit each: may say that it knows one that it does not, never the other way. */
export class KeyFilter {
  readonly #bits: Uint32Array;
  readonly #mask: number;
  isEmpty = true;

  constructor(expected: number) {
    let bits = FEWEST_BITS;
    while (bits < expected * 8 && bits < MOST_BITS) bits *= 2;
    this.#bits = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  /** The hash whose words begin at `at`. */
  add(words: Int32Array, at: number): void {
    const bit = words[at + 1]! & this.#mask;
    this.#bits[bit >>> 5]! |= 1 << (bit & 31);
    this.isEmpty = false;
  }

  mayHave(words: Int32Array, at: number): boolean {
    const bit = words[at + 1]! & this.#mask;
    return ((this.#bits[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
  }
}
