import { MessageInbox } from '../../../src/core/message-inbox.ts';

/** The rows of one statement in binary form, as they arrive. Nobody reads them: the socket is paused. */
export class RowSource {
  readonly inbox: MessageInbox;
  /** Type codes of the columns, as the server gives them with the result. */
  readonly types: Uint8Array;
  /** Every row is in the inbox, or was taken. */
  isEnded = false;
  readonly #resume: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #isUnwanted = false;

  constructor(types: Uint8Array, pause: () => void, resume: () => void) {
    this.types = types;
    this.#resume = resume;
    this.inbox = new MessageInbox({ pause, resume });
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
