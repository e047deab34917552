import type { ChangeStream } from '../../src/core/connector.ts';
import { DecodedStream } from '../../src/core/decoded-stream.ts';
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

/** Batches of what the connection brings. The decoder stops at a change whose table version is not known. */
export function changeStream({ connection, decoder, relations, close }: ChangeStreamParts): ChangeStream<PgPosition> {
  const { inbox } = connection;
  return new DecodedStream<PgPosition, PgChangeBatch>({
    inbox,
    get lastHeardAtMs() {
      return connection.lastHeardAtMs;
    },
    createBatch: (recycle) => new PgChangeBatch(inbox.pool, recycle),
    decode: (arena, from, batch) => decoder.decode(arena, from, batch),
    async provide(signal) {
      const { needed } = decoder;
      if (needed !== null) await relations.resolve(needed.relation, needed.point, signal);
      return null;
    },
    acknowledge: ({ lsn }) => connection.acknowledge(lsn),
    close,
  });
}
