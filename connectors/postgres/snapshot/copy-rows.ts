import type { MessageArena } from '../../../src/core/message-arena.ts';
import type { MessageInbox } from '../../../src/core/message-inbox.ts';
import { untilAborted } from '../../../src/core/until-aborted.ts';

/** `setTimeout` takes no more. */
const LONGEST_TIMER_MS = 0x7fff_ffff;

/** The rows of one COPY while they arrive, as messages in arenas. */
export class CopyRows {
  readonly #inbox: MessageInbox;
  readonly #listen: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #isEnded = false;
  #failure: Error | null = null;
  #isDiscarded = false;
  #heardAtMs = performance.now();

  /** `listen` makes a socket that the inbox paused go on. */
  constructor(inbox: MessageInbox, listen: () => void) {
    this.#inbox = inbox;
    this.#listen = listen;
  }

  get isDiscarded(): boolean {
    return this.#isDiscarded;
  }

  /** Whoever takes an arena lets it go here. */
  get pool(): MessageInbox['pool'] {
    return this.#inbox.pool;
  }

  add(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    if (!this.#isDiscarded) this.#inbox.addMessage(bytes, start, end, 0, 0, isOwn);
  }

  /** Something of the server arrived. */
  heard(): void {
    this.#heardAtMs = performance.now();
  }

  /** The server is through, or gave up with `failure`. */
  end(failure: Error | null): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#ended.resolve();
    this.#inbox.wake();
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** The next rows, held once for the caller; null where none are there yet, or none follow. */
  take(): MessageArena | null {
    const arena = this.#inbox.take();
    if (arena === null && this.#failure !== null) throw this.#failure;
    return arena;
  }

  /** Milliseconds since the server sent something. */
  get silentMs(): number {
    return performance.now() - this.#heardAtMs;
  }

  /** Resolves when there is something to take, when the server is through, or after `patienceMs`. */
  async waitForMore(patienceMs: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#isEnded || !this.#inbox.isEmpty) return;
    if (this.#inbox.isPaused) {
      // What is held back until it is known whether a row follows it may be all that there is room for.
      this.heard();
      this.#listen();
    }
    const wake = () => this.#inbox.wake();
    const timer = setTimeout(wake, Math.min(Math.max(patienceMs, 0), LONGEST_TIMER_MS));
    signal.addEventListener('abort', wake, { once: true });
    try {
      await this.#inbox.waitForMore();
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
    }
    signal.throwIfAborted();
  }

  /** Nobody wants the rest. */
  discard(): void {
    this.#isDiscarded = true;
    while (!this.#inbox.isEmpty) this.#inbox.pool.letGo(this.#inbox.take() as MessageArena);
  }

  /** Resolves when the server is through, well or not, or after `patienceMs`. */
  async awaitEnd(patienceMs: number, signal: AbortSignal): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, patienceMs);
    try {
      await untilAborted(Promise.race([this.#ended.promise, late.promise]), signal);
    } finally {
      clearTimeout(timer);
    }
  }
}
