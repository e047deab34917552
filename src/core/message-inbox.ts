import { ARENA_BYTES, ArenaPool, MessageArena } from './message-arena.ts';

/** Buffered bytes above which reading stops, and below which it goes on. */
const PAUSE_ABOVE_BYTES = 2 * 1024 * 1024;
const RESUME_BELOW_BYTES = 1024 * 1024;

/** The socket's brake. */
export interface Brake {
  pause(): void;
  resume(): void;
}

/**
 * What was received and not yet taken: filled by the driver's callbacks, emptied by the stream's reader. Reaching the
 * bound pauses the socket; one message may exceed it.
 */
export class MessageInbox {
  /** What is taken counts as buffered until it is let go: a large message is not received while one is being encoded. */
  readonly pool = new ArenaPool((bytes) => this.#freed(bytes));
  readonly #brake: Brake;
  readonly #full: MessageArena[] = [];
  #filling: MessageArena | null = null;
  #bufferedBytes = 0;
  #paused = false;
  #failure: { readonly error: unknown } | null = null;
  #waiting: PromiseWithResolvers<void> | null = null;

  constructor(brake: Brake) {
    this.#brake = brake;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  /**
   * Copies the message at `source[start, end)`, which may be reused afterwards. Where it is large and `isOwn` says that
   * nobody else uses `source`, that is kept instead.
   */
  addMessage(source: Buffer, start: number, end: number, tagHigh: number, tagLow: number, isOwn = false): void {
    const length = end - start;
    if (isOwn && length > ARENA_BYTES) {
      const arena = new MessageArena(source);
      arena.addOwnMessage(start, end, tagHigh, tagLow);
      this.#bufferedBytes += arena.length;
      this.#replaceFilling(arena);
      return;
    }
    this.#arenaFor(length).addMessage(source, start, end, tagHigh, tagLow);
    this.#bufferedBytes += length;
  }

  addKeepalive(tagHigh: number, tagLow: number): void {
    this.#arenaFor(0).addKeepalive(tagHigh, tagLow);
  }

  /** One network read is through: wakes the reader, and brakes above the bound. */
  endOfRead(nowMs: number): void {
    if (this.#filling !== null) this.#filling.receivedAtMs = nowMs;
    for (const arena of this.#full) if (arena.receivedAtMs === 0) arena.receivedAtMs = nowMs;
    if (!this.#paused && this.#bufferedBytes > PAUSE_ABOVE_BYTES) {
      this.#paused = true;
      this.#brake.pause();
    }
    if (!this.isEmpty) this.wake();
  }

  /** What was received before stays readable; then `take` throws. The first failure counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.wake();
  }

  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  get isEmpty(): boolean {
    return this.#full.length === 0 && (this.#filling === null || this.#filling.count === 0);
  }

  /** The oldest arena with something in it, held once for the caller; null where nothing is buffered. */
  take(): MessageArena | null {
    const arena = this.#full.shift() ?? this.#takeFilling();
    if (arena === null) {
      if (this.#failure !== null) throw this.#failure.error;
      return null;
    }
    arena.holders = 1;
    return arena;
  }

  /** Resolves when there is something to take or a failure to meet. */
  waitForMore(): Promise<void> {
    if (!this.isEmpty || this.#failure !== null) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers<void>();
    return this.#waiting.promise;
  }

  /** Ends a wait although nothing came. */
  wake(): void {
    this.#waiting?.resolve();
    this.#waiting = null;
  }

  #freed(bytes: number): void {
    this.#bufferedBytes -= bytes;
    if (!this.#paused || this.#bufferedBytes >= RESUME_BELOW_BYTES) return;
    this.#paused = false;
    this.#brake.resume();
  }

  #takeFilling(): MessageArena | null {
    const arena = this.#filling;
    if (arena === null || arena.count === 0) return null;
    this.#filling = null;
    return arena;
  }

  #arenaFor(length: number): MessageArena {
    const filling = this.#filling;
    if (filling?.hasRoomFor(length) === true) return filling;
    const arena = this.pool.take(length);
    arena.receivedAtMs = 0;
    this.#replaceFilling(arena);
    return arena;
  }

  #replaceFilling(arena: MessageArena): void {
    const before = this.#filling;
    if (before !== null && before.count > 0) this.#full.push(before);
    this.#filling = arena;
  }
}
