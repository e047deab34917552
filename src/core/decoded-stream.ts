import type { ChangeBatch } from './change-batch.ts';
import type { ChangeStream } from './connector.ts';
import type { MessageArena } from './message-arena.ts';
import type { MessageInbox } from './message-inbox.ts';

/** A batch that is opened on an arena again and again; `release` recycles it. */
export interface RecycledBatch<P> extends ChangeBatch<P> {
  open(arena: MessageArena): void;
}

/** What a connector does of a stream: everything but pulling, recycling and ending. */
export interface LogReader<P, B extends RecycledBatch<P>> {
  readonly inbox: MessageInbox;
  readonly lastHeardAtMs: number;
  /** `recycle` is called by the batch's `release`. */
  createBatch(recycle: () => void): B;
  /**
   * Decodes the entries of the arena from `from` on into the batch, up to its end or to one that needs something.
   * @returns the next entry.
   */
  decode(arena: MessageArena, from: number, batch: B): number;
  /**
   * Fetches what the last `decode` stopped for, if it did.
   * @returns messages that come before the rest of the log, or null.
   */
  provide(signal: AbortSignal): Promise<Detour | null>;
  acknowledge(position: P): void;
  /** Ends what runs beside the stream, and the connection. Called once. */
  close(): Promise<void>;
}

/** Messages that are decoded before the log goes on. */
export interface Detour {
  readonly arenas: Generator<MessageArena, void, void>;
  /** All of them were decoded. */
  end(): void;
}

/** An arena that is being decoded, and the next of its entries. */
interface Reading {
  readonly arena: MessageArena;
  readonly detour: Detour | null;
  next: number;
}

/** Pulls arenas from a connection's inbox and decodes them into batches. One iterator at a time. */
export class DecodedStream<P, B extends RecycledBatch<P>> implements ChangeStream<P> {
  readonly #reader: LogReader<P, B>;
  readonly #ended = new AbortController();
  readonly #freeBatches: B[] = [];
  #ofLog: Reading | null = null;
  #ofDetour: Reading | null = null;
  #detour: Detour | null = null;
  #closing: Promise<void> | null = null;

  constructor(reader: LogReader<P, B>) {
    this.#reader = reader;
  }

  get lastHeardAtMs(): number {
    return this.#reader.lastHeardAtMs;
  }

  acknowledge(position: P): void {
    this.#reader.acknowledge(position);
  }

  end(): void {
    this.#ended.abort();
    this.#reader.inbox.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, void> {
    const { inbox } = this.#reader;
    while (!this.#ended.signal.aborted) {
      const reading = this.#nextReading();
      if (reading === null) {
        await inbox.waitForMore();
        continue;
      }
      const batch = this.#decode(reading);
      if (batch.count > 0) yield batch;
      else batch.release();
      await this.#provide();
    }
  }

  #nextReading(): Reading | null {
    if (this.#detour !== null) {
      this.#ofDetour ??= readingOf(this.#detour.arenas.next().value ?? null, this.#detour);
      if (this.#ofDetour !== null) return this.#ofDetour;
      this.#detour.end();
      this.#detour = null;
    }
    this.#ofLog ??= readingOf(this.#reader.inbox.take(), null);
    return this.#ofLog;
  }

  #decode(reading: Reading): B {
    const { arena } = reading;
    const batch = this.#freeBatches.pop() ?? this.#newBatch();
    batch.open(arena);
    reading.next = this.#reader.decode(arena, reading.next, batch);
    if (reading.next === arena.count) {
      if (reading.detour === null) this.#ofLog = null;
      else this.#ofDetour = null;
      this.#reader.inbox.pool.letGo(arena);
    }
    return batch;
  }

  #newBatch(): B {
    const batch: B = this.#reader.createBatch(() => this.#freeBatches.push(batch));
    return batch;
  }

  async #provide(): Promise<void> {
    const { signal } = this.#ended;
    if (signal.aborted) return;
    try {
      this.#detour = (await this.#reader.provide(signal)) ?? this.#detour;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#detour?.arenas.return();
    await this.#reader.close();
  }
}

function readingOf(arena: MessageArena | null, detour: Detour | null): Reading | null {
  return arena === null ? null : { arena, detour, next: 0 };
}
