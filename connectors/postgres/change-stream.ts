import type { ChangeStream } from '../../src/core/connector.ts';
import type { MessageArena } from '../../src/core/message-arena.ts';
import type { ChangeDecoder } from './change-decoder.ts';
import { PgChangeBatch } from './pg-change-batch.ts';
import type { PgPosition } from './positions.ts';
import type { RelationCache } from './relation-cache.ts';
import type { ReplicationConnection } from './replication-connection.ts';

export interface ChangeStreamParts {
  readonly connection: ReplicationConnection;
  readonly decoder: ChangeDecoder;
  readonly relations: RelationCache;
  /** Ends what runs beside the stream (heartbeats, checks) and the connection. Called once. */
  readonly close: () => Promise<void>;
}

/** Pulls arenas from the connection and decodes them into batches. One iterator at a time. */
export class PgChangeStream implements ChangeStream<PgPosition> {
  readonly #parts: ChangeStreamParts;
  readonly #ended = new AbortController();
  readonly #freeBatches: PgChangeBatch[] = [];
  #arena: MessageArena | null = null;
  #next = 0;
  #closing: Promise<void> | null = null;

  constructor(parts: ChangeStreamParts) {
    this.#parts = parts;
  }

  get lastHeardAtMs(): number {
    return this.#parts.connection.lastHeardAtMs;
  }

  acknowledge(position: PgPosition): void {
    this.#parts.connection.acknowledge(position.lsn);
  }

  end(): void {
    this.#ended.abort();
    this.#parts.connection.inbox.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<PgChangeBatch, void, void> {
    const { inbox } = this.#parts.connection;
    while (!this.#ended.signal.aborted) {
      this.#arena ??= inbox.take();
      if (this.#arena === null) {
        await inbox.waitForMore();
        continue;
      }
      const batch = this.#decode(this.#arena);
      if (batch.count > 0) yield batch;
      else batch.release();
      await this.#resolveNeeded();
    }
  }

  /** Decodes up to the end of the arena, or to a change whose table version is not known. */
  #decode(arena: MessageArena): PgChangeBatch {
    const { decoder, connection } = this.#parts;
    const batch = this.#freeBatches.pop() ?? this.#newBatch();
    batch.open(arena);
    this.#next = decoder.decode(arena, this.#next, batch);
    if (this.#next === arena.count) {
      this.#arena = null;
      this.#next = 0;
      connection.inbox.pool.letGo(arena);
    }
    return batch;
  }

  async #resolveNeeded(): Promise<void> {
    const { needed } = this.#parts.decoder;
    if (needed === null || this.#ended.signal.aborted) return;
    try {
      await this.#parts.relations.resolve(needed.relation, needed.point, this.#ended.signal);
    } catch (error) {
      if (!this.#ended.signal.aborted) throw error;
    }
  }

  #newBatch(): PgChangeBatch {
    return new PgChangeBatch(this.#parts.connection.inbox.pool, (batch) => this.#freeBatches.push(batch));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    this.#closing ??= this.#parts.close();
    await this.#closing;
  }
}
