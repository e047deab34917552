import type { ChangeStream } from '../../src/core/connector.ts';
import { DecodedStream, type Detour } from '../../src/core/decoded-stream.ts';
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

/** Batches of what the connection brings. The decoder stops at what it needs to know of a table or a statement first. */
export function changeStream(parts: ChangeStreamParts): ChangeStream<MySqlPosition> {
  const { connection, decoder, close } = parts;
  const { inbox } = connection;
  return new DecodedStream<MySqlPosition, MySqlChangeBatch>({
    inbox,
    get lastHeardAtMs() {
      return connection.lastHeardAtMs;
    },
    createBatch: (recycle) => new MySqlChangeBatch(inbox.pool, recycle),
    decode: (arena, from, batch) => decoder.decode(arena, from, batch),
    provide: async (signal) => (decoder.needed === null ? null : provide(parts, decoder.needed, signal)),
    // MySQL is not told: it keeps its binlogs by time, whoever reads them.
    acknowledge: () => {},
    async close() {
      decoder.close();
      await close();
    },
  });
}

async function provide(
  { tables, decoder, connection }: ChangeStreamParts,
  needed: Needed,
  signal: AbortSignal,
): Promise<Detour | null> {
  switch (needed.kind) {
    case 'version':
      await tables.resolve(needed.table, needed.point, signal);
      return null;
    case 'statement':
      decoder.answer(await tables.onStatement(needed.statement, needed.logged, needed.point, signal));
      return null;
    case 'branch':
      return {
        arenas: needed.branch.arenas(connection.inbox.pool, Date.now()),
        end: () => decoder.endBranch(),
      };
  }
}
