import { freeBuffer } from '../core/free-buffer.ts';
import { allocateBuffer } from '../core/large-buffer.ts';

const MIN_CLASS_BYTES = 4 * 1024;

/**
 * Buffers of powers of two for record batches. What is given back is used again up to a bound, so that a steady flow
 * allocates nothing; buffers beyond `maxClassBytes` (a batch of one oversized record) are never kept.
 */
export class BufferPool {
  readonly #maxClassBytes: number;
  readonly #maxRetainedBytes: number;
  readonly #free = new Map<number, Buffer[]>();
  #retainedBytes = 0;

  constructor(maxClassBytes: number, maxRetainedBytes: number) {
    this.#maxClassBytes = maxClassBytes;
    this.#maxRetainedBytes = maxRetainedBytes;
  }

  get retainedBytes(): number {
    return this.#retainedBytes;
  }

  /** A buffer of at least `bytes`; its content is arbitrary. */
  take(bytes: number): Buffer {
    const size = this.#classOf(bytes);
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return allocateBuffer(size);
    this.#retainedBytes -= size;
    return free;
  }

  /**
   * Nobody may read or write `buffer` any more, a pending write to a socket included: it is used again, or its memory is
   * gone at once.
   */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (size > this.#maxClassBytes || this.#retainedBytes + size > this.#maxRetainedBytes) {
      freeBuffer(buffer);
      return;
    }
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
    this.#retainedBytes += size;
  }

  #classOf(bytes: number): number {
    if (bytes > this.#maxClassBytes) return bytes;
    let size = MIN_CLASS_BYTES;
    while (size < bytes) size *= 2;
    return Math.min(size, this.#maxClassBytes);
  }
}
