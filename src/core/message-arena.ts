import { freeBuffer } from './free-buffer.ts';

/** Bytes of an arena; a larger message gets an arena of its own, which is not kept. */
export const ARENA_BYTES = 256 * 1024;
/**
 * Messages of an arena. What a connector makes of them lives as long as their batch: few enough, also of small ones, for
 * most of that to die before V8's young generation is collected.
 */
const ARENA_MESSAGES = 1024;
/** Free arenas that are kept for reuse. */
const KEPT_ARENAS = 8;

/**
 * Messages of a source's log, copied out of the driver's buffer, which is valid only during its callback. Entry `i` is a
 * message at `bytes[starts[i], ends[i])`, or a keepalive (`ends[i]` is -1), with two numbers that mean what the connector
 * says (Postgres: the halves of an LSN).
 */
export class MessageArena {
  readonly bytes: Buffer;
  count = 0;
  readonly starts = new Int32Array(ARENA_MESSAGES);
  readonly ends = new Int32Array(ARENA_MESSAGES);
  readonly tagHigh = new Uint32Array(ARENA_MESSAGES);
  readonly tagLow = new Uint32Array(ARENA_MESSAGES);
  /** Bytes of messages. */
  length = 0;
  receivedAtMs = 0;
  /** Batches that point into the arena, and the reader while it is not through. */
  holders = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Whether a message of `length` bytes may be added. */
  hasRoomFor(length: number): boolean {
    return this.count < ARENA_MESSAGES && this.length + length <= this.bytes.length;
  }

  /** Copies the message at `source[start, end)`. */
  addMessage(source: Buffer, start: number, end: number, tagHigh: number, tagLow: number): void {
    const from = this.length;
    this.length = from + source.copy(this.bytes, from, start, end);
    this.#add(from, this.length, tagHigh, tagLow);
  }

  /** Adds the message of `length` bytes that the caller wrote at the end of what is there; there must have been room. */
  addInPlace(length: number, tagHigh: number, tagLow: number): void {
    const from = this.length;
    this.length = from + length;
    this.#add(from, this.length, tagHigh, tagLow);
  }

  /** Adds the message that the bytes of this arena already hold at `[start, end)`; nothing more fits. */
  addOwnMessage(start: number, end: number, tagHigh: number, tagLow: number): void {
    this.length = this.bytes.length;
    this.#add(start, end, tagHigh, tagLow);
  }

  /** Consecutive keepalives are one: the newest says all that the others did. */
  addKeepalive(tagHigh: number, tagLow: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.ends[last] === -1) {
      this.tagHigh[last] = tagHigh;
      this.tagLow[last] = tagLow;
      return;
    }
    this.#add(this.length, -1, tagHigh, tagLow);
  }

  reset(): void {
    this.count = 0;
    this.length = 0;
  }

  #add(start: number, end: number, tagHigh: number, tagLow: number): void {
    const index = this.count;
    this.starts[index] = start;
    this.ends[index] = end;
    this.tagHigh[index] = tagHigh;
    this.tagLow[index] = tagLow;
    this.count = index + 1;
  }
}

/** Arenas that are not in use. */
export class ArenaPool {
  readonly #free: MessageArena[] = [];
  readonly #onFreed: (bytes: number) => void;

  /** `onFreed` is told how many bytes of messages nobody holds any more. */
  constructor(onFreed: (bytes: number) => void = () => {}) {
    this.#onFreed = onFreed;
  }

  take(minimumBytes: number): MessageArena {
    if (minimumBytes > ARENA_BYTES) return new MessageArena(Buffer.allocUnsafeSlow(minimumBytes));
    return this.#free.pop() ?? new MessageArena(Buffer.allocUnsafeSlow(ARENA_BYTES));
  }

  /** Gives up one hold; the last one returns the arena. */
  letGo(arena: MessageArena): void {
    arena.holders -= 1;
    if (arena.holders > 0) return;
    const { length } = arena;
    arena.reset();
    if (arena.bytes.length === ARENA_BYTES && this.#free.length < KEPT_ARENAS) this.#free.push(arena);
    else freeBuffer(arena.bytes);
    this.#onFreed(length);
  }
}
