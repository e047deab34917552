import type { ChangeStream } from '../../src/core/connector.ts';
import type { MessageArena } from '../../src/core/message-arena.ts';
import type { BinlogConnection } from './binlog-connection.ts';
import type { ChangeDecoder, Needed } from './change-decoder.ts';
import { MySqlChangeBatch } from './my-change-batch.ts';
import type { MySqlPosition } from './positions.ts';
import type { TableCache } from './table-cache.ts';

export interface ChangeStreamParts {
  readonly connection: BinlogConnection;
  readonly decoder: ChangeDecoder;
  readonly tables: TableCache;
  /** Ends what runs beside the stream and the connection. Called once. */
  readonly close: () => Promise<void>;
}

/** An arena that is being decoded, and the next of its events. */
interface Reading {
  readonly arena: MessageArena;
  next: number;
}

/** Pulls arenas from the connection and decodes them into batches. One iterator at a time. */
export class MySqlChangeStream implements ChangeStream<MySqlPosition> {
  readonly #parts: ChangeStreamParts;
  readonly #ended = new AbortController();
  readonly #freeBatches: MySqlChangeBatch[] = [];
  #log: Reading | null = null;
  /** The events of a prepared transaction, which come before the rest of the log. */
  #branch: Generator<MessageArena, void, void> | null = null;
  #ofBranch: Reading | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: ChangeStreamParts) {
    this.#parts = parts;
  }

  get lastHeardAtMs(): number {
    return this.#parts.connection.lastHeardAtMs;
  }

  /** MySQL is not told: it keeps its binlogs by time, whoever reads them. */
  acknowledge(_position: MySqlPosition): void {}

  end(): void {
    this.#ended.abort();
    this.#parts.connection.inbox.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<MySqlChangeBatch, void, void> {
    const { inbox } = this.#parts.connection;
    while (!this.#ended.signal.aborted) {
      const reading = this.#nextReading();
      if (reading === null) {
        await inbox.waitForMore();
        continue;
      }
      const batch = this.#decode(reading);
      if (batch.count > 0) yield batch;
      else batch.release();
      await this.#provide(this.#parts.decoder.needed);
    }
  }

  #nextReading(): Reading | null {
    if (this.#branch !== null) {
      this.#ofBranch ??= readingOf(this.#branch.next().value ?? null);
      if (this.#ofBranch !== null) return this.#ofBranch;
      this.#branch = null;
      this.#parts.decoder.endBranch();
    }
    this.#log ??= readingOf(this.#parts.connection.inbox.take());
    return this.#log;
  }

  /** Decodes up to the end of the arena, or to an event that needs something. */
  #decode(reading: Reading): MySqlChangeBatch {
    const { decoder, connection } = this.#parts;
    const { arena } = reading;
    const batch = this.#freeBatches.pop() ?? this.#newBatch();
    batch.open(arena);
    reading.next = decoder.decode(arena, reading.next, batch);
    if (reading.next === arena.count) {
      if (reading === this.#log) this.#log = null;
      else this.#ofBranch = null;
      connection.inbox.pool.letGo(arena);
    }
    return batch;
  }

  async #provide(needed: Needed | null): Promise<void> {
    if (needed === null || this.#ended.signal.aborted) return;
    const { tables, decoder, connection } = this.#parts;
    const { signal } = this.#ended;
    try {
      if (needed.kind === 'version') await tables.resolve(needed.table, needed.point, signal);
      else if (needed.kind === 'statement') {
        decoder.answer(await tables.onStatement(needed.statement, needed.logged, needed.point, signal));
      } else this.#branch = needed.branch.arenas(connection.inbox.pool, Date.now());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #newBatch(): MySqlChangeBatch {
    return new MySqlChangeBatch(this.#parts.connection.inbox.pool, (batch) => this.#freeBatches.push(batch));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#branch?.return();
    this.#parts.decoder.close();
    await this.#parts.close();
  }
}

function readingOf(arena: MessageArena | null): Reading | null {
  return arena === null ? null : { arena, next: 0 };
}
