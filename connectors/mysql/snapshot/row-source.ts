import { MessageInbox } from '../../../src/core/message-inbox.ts';

/** The rows of one statement in binary form, as they arrive. Nobody reads them: the socket is paused. */
export class RowSource {
  readonly inbox: MessageInbox;
  /** Type codes of the columns, as the server gives them in front of the first row. */
  readonly types: number[] = [];
  /** Every row is in the inbox, or was taken. */
  isEnded = false;
  readonly #pause: () => void;
  readonly #resume: () => void;
  #isBraked = false;
  readonly #ended = Promise.withResolvers<void>();
  #isUnwanted = false;

  constructor(pause: () => void, resume: () => void) {
    this.#pause = pause;
    this.#resume = resume;
    this.inbox = new MessageInbox({
      pause: () => {
        this.#isBraked = true;
        pause();
      },
      resume: () => {
        this.#isBraked = false;
        resume();
      },
    });
  }

  /** Lets at least one more row come, however much of what was taken is in use. */
  wantMore(): void {
    if (this.#isBraked) this.#resume();
  }

  /** One network read is through. */
  endOfRead(nowMs: number): void {
    this.inbox.endOfRead(nowMs);
    if (this.#isBraked && !this.inbox.isEmpty) this.#pause();
  }

  /** Resolves when the server has no more to say, or is gone. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** What still comes is thrown away. */
  discard(): void {
    this.#isUnwanted = true;
    while (!this.inbox.isEmpty) {
      const arena = this.inbox.take();
      if (arena !== null) this.inbox.pool.letGo(arena);
    }
    // Batches that are still in use count as buffered: nothing may wait for them.
    this.#resume();
  }

  add(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    if (!this.#isUnwanted) this.inbox.addMessage(bytes, start, end, 0, 0, isOwn);
  }

  end(): void {
    this.isEnded = true;
    this.inbox.wake();
    this.#ended.resolve();
  }

  /** The server ended the rows with an error, or is gone. */
  fail(error: unknown): void {
    this.isEnded = true;
    this.inbox.fail(error);
    this.#ended.resolve();
  }
}
