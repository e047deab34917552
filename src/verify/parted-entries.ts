import { UnnamedFile } from '../core/unnamed-file.ts';

interface Block {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  used: number;
}

/** Entries of one part as they were added: entry `i` begins at word `i * words per entry`. */
export interface LoadedEntries {
  readonly count: number;
  readonly words: Int32Array;
  readonly doubles: Float64Array;
}

/**
 * Entries of a fixed size, divided into parts: each part is kept in the order of adding, in a temporary file but for its
 * last block. In memory is one block a part, and whatever part is loaded.
 */
export class PartedEntries {
  readonly #entryWords: number;
  readonly #blockEntries: number;
  readonly #file: UnnamedFile;
  readonly #blocks: (Block | null)[];
  /** Where the full blocks of each part lie in the file. */
  readonly #positions: number[][];
  readonly #counts: Float64Array;
  /** Where the entry that was added last is to be written: set by `add`. */
  words: Int32Array = new Int32Array(0);
  doubles: Float64Array = new Float64Array(0);

  /** @param entryWords 32-bit words of an entry, an even number */
  constructor(parts: number, entryWords: number, blockBytes: number) {
    this.#entryWords = entryWords;
    this.#blockEntries = Math.max(1, Math.floor(blockBytes / 4 / entryWords));
    this.#blocks = Array.from({ length: parts }, () => null);
    this.#positions = Array.from({ length: parts }, () => []);
    this.#counts = new Float64Array(parts);
    this.#file = new UnnamedFile({
      code: 'VERIFY_SPILL',
      remedy: 'Let TMPDIR name a directory with room: verify keeps about 100 bytes there for each record and row.',
    });
  }

  /** Entries in a part. */
  count(part: number): number {
    return this.#counts[part]!;
  }

  /** Makes room for an entry, to be written into `words` from the returned index on (`doubles`: half of it). */
  add(part: number): number {
    let block = this.#blocks[part]!;
    if (block === null) {
      block = newBlock(this.#blockEntries * this.#entryWords);
      this.#blocks[part] = block;
    } else if (block.used === this.#blockEntries) {
      this.#positions[part]!.push(this.#file.length);
      this.#file.append(block.bytes, 0, block.bytes.length);
      block.used = 0;
    }
    this.words = block.words;
    this.doubles = block.doubles;
    this.#counts[part]! += 1;
    return block.used++ * this.#entryWords;
  }

  load(part: number): LoadedEntries {
    const count = this.#counts[part]!;
    const buffer = Buffer.allocUnsafeSlow(count * this.#entryWords * 4);
    const blockBytes = this.#blockEntries * this.#entryWords * 4;
    let at = 0;
    for (const position of this.#positions[part]!) {
      this.#file.read(buffer, at, blockBytes, position);
      at += blockBytes;
    }
    this.#blocks[part]?.bytes.copy(buffer, at, 0, buffer.length - at);
    return {
      count,
      words: new Int32Array(buffer.buffer),
      doubles: new Float64Array(buffer.buffer, 0, Math.floor(buffer.length / 8)),
    };
  }

  close(): void {
    this.#file.close();
    this.#blocks.fill(null);
  }
}

function newBlock(words: number): Block {
  const bytes = Buffer.allocUnsafeSlow(words * 4);
  return { bytes, words: new Int32Array(bytes.buffer), doubles: new Float64Array(bytes.buffer), used: 0 };
}
