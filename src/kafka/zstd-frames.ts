import { createZstdCompress, type ZstdCompress, type ZstdOptions, constants as zlib } from 'node:zlib';
import { freeBuffer } from '../core/free-buffer.ts';

/** Output is cut from pieces of this size; most batches lie in one. */
const OUTPUT_BYTES = 256 * 1024;

/**
 * Compresses one buffer after another, each to a frame of its own, on another thread and in one context. A context is
 * 1.3 MB: made anew for each batch, as the one-shot functions do, it costs as much time as the compression, and leaves
 * the heap in pieces. One call at a time.
 */
export class ZstdFrames {
  readonly #stream: ZstdCompress;
  #parts: Buffer[] = [];
  #target: Buffer | null = null;
  #bytes = 0;
  #limit = 0;
  #failure: Error | null = null;

  constructor(params: NonNullable<ZstdOptions['params']>) {
    this.#stream = createZstdCompress({ params, chunkSize: OUTPUT_BYTES });
    this.#stream.on('data', (part: Buffer) => this.#take(part));
    this.#stream.on('error', (error) => {
      this.#failure = error;
    });
  }

  /** False after a failure: the context is not what it should be. */
  get usable(): boolean {
    return this.#failure === null;
  }

  /**
   * The frame, which stays valid; or the records themselves where it would not be smaller.
   * @param target where to put the frame: as much room as the records take. Null makes memory for it.
   */
  compress(records: Buffer, target: Buffer | null = null): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#parts = [];
      this.#target = target;
      this.#bytes = 0;
      this.#limit = records.length;
      this.#stream.once('error', reject);
      this.#stream.write(records);
      this.#stream.flush(zlib.ZSTD_e_end, () => {
        this.#stream.off('error', reject);
        const [first, ...more] = this.#parts;
        this.#parts = [];
        this.#target = null;
        if (this.#bytes >= this.#limit) resolve(records);
        else if (target !== null) resolve(target.subarray(0, this.#bytes));
        else if (first === undefined) reject(new Error('zstd gave no frame'));
        else resolve(more.length === 0 ? first : Buffer.concat([first, ...more]));
      });
    });
  }

  /** Keeps nothing of what turns out to be useless: a large value that does not shrink is in memory often enough. */
  #take(part: Buffer): void {
    const from = this.#bytes;
    this.#bytes += part.length;
    if (this.#target !== null) {
      if (this.#bytes < this.#limit) part.copy(this.#target, from);
      // Of a part that is not full the stream still uses the rest: it does not have its memory to itself, and stays.
      freeBuffer(part);
    } else if (this.#bytes < this.#limit) this.#parts.push(part);
    else this.#parts = [];
  }
}
