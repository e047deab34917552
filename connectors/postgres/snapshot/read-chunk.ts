import { FatalError } from '../../../src/core/errors.ts';
import type { MessageArena } from '../../../src/core/message-arena.ts';
import type { Chunk, ChunkEnd, RowKey } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import { chunkStatement } from './chunk-statement.ts';
import type { CopyRows } from './copy-rows.ts';
import { filterError } from './filter-error.ts';
import type { ReaderConnection } from './reader-connection.ts';
import type { RowBatch, RowBatches, ViewPoint } from './row-batch.ts';
import type { ViewTable } from './view-table.ts';

export interface ChunkReading {
  readonly connection: ReaderConnection;
  readonly table: ViewTable;
  readonly chunk: Chunk;
  readonly point: ViewPoint;
  readonly batches: RowBatches;
  /** Silence after which the server is asked whether it is still at work. */
  readonly silenceMs: number;
}

/**
 * Copies the rows of a chunk. A batch is held back until something follows it or nothing does. Leaves the connection fit for
 * the next chunk, however it ends.
 */
export async function* readChunk(reading: ChunkReading, signal: AbortSignal): AsyncGenerator<RowBatch, ChunkEnd, void> {
  const { connection, table, chunk } = reading;
  const doing = `reading the rows of ${qualifiedName(table.id)}`;
  const startedAtMs = performance.now();
  const budget = new ChunkBudget(chunk, table);
  const remainingMs = () => chunk.limits.timeMs - (performance.now() - startedAtMs);
  const rows = connection.copy(doing, chunkStatement(table, chunk));
  let held: RowBatch | null = null;
  let last: RowKey | null = null;
  const giveHeld = function* () {
    const batch = held;
    held = null;
    if (batch !== null) yield batch;
  };
  try {
    for (;;) {
      if (budget.isLimited && budget.rows > 0 && remainingMs() <= 0) {
        yield* giveHeld();
        return { last, isDone: false };
      }
      signal.throwIfAborted();
      const arena = rows.take();
      if (arena === null) {
        if (rows.isEnded) break;
        await waitForRows(reading, rows, budget, remainingMs, doing, signal);
        continue;
      }
      const batch = scan(reading, arena, rows, budget);
      const isCut = batch.count < arena.count;
      yield* giveHeld();
      if (batch.count > 0) {
        held = batch;
        last = keyOf(table, batch, batch.count - 1);
      } else batch.release();
      if (!isCut) continue;
      yield* giveHeld();
      return { last, isDone: false };
    }
    yield* giveHeld();
    return { last, isDone: true };
  } catch (error) {
    throw (chunk.filter === null ? null : filterError(error, table.id)) ?? error;
  } finally {
    (held as RowBatch | null)?.release();
    await connection.finish(rows);
  }
}

/** What of the chunk's limits was used. */
class ChunkBudget {
  readonly isLimited: boolean;
  readonly #rows: number;
  readonly #bytes: number;
  rows = 0;
  bytes = 0;

  constructor({ limits }: Chunk, { key }: ViewTable) {
    this.isLimited = key !== null;
    this.#rows = limits.rows;
    this.#bytes = limits.bytes;
  }

  /** @returns false where a row of so many bytes is one too many. */
  admit(bytes: number): boolean {
    if (this.isLimited && this.rows > 0 && (this.rows >= this.#rows || this.bytes + bytes > this.#bytes)) return false;
    this.rows += 1;
    this.bytes += bytes;
    return true;
  }
}

async function waitForRows(
  { connection, silenceMs }: ChunkReading,
  rows: CopyRows,
  budget: ChunkBudget,
  remainingMs: () => number,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  const limitMs = budget.isLimited && budget.rows > 0 ? remainingMs() : Number.POSITIVE_INFINITY;
  const silent = silenceMs - rows.silentMs;
  await rows.waitForMore(Math.min(limitMs, silent), signal);
  if (rows.isEnded || rows.silentMs < silenceMs) return;
  await connection.confirmAtWork(doing, signal);
  rows.heard();
}

function scan(
  { table, point, batches }: ChunkReading,
  arena: MessageArena,
  rows: CopyRows,
  budget: ChunkBudget,
): RowBatch {
  const batch = batches.take();
  batch.open(arena, rows.pool, table.version.columns.length, point);
  try {
    for (let index = 0; index < arena.count; index++) {
      if (!budget.admit(arena.ends[index]! - arena.starts[index]!)) break;
      batch.scan(arena);
      batch.versions[index] = table.versionOf(batch, index);
    }
  } catch (error) {
    batch.release();
    if (!(error instanceof ProtocolError)) throw error;
    throw new FatalError(`A row of ${qualifiedName(table.id)} cannot be read: ${error.message}.`, {
      code: 'POSTGRES_PROTOCOL',
      remedy: 'Check that nothing between the daemon and Postgres alters the connection; else report it.',
      table: qualifiedName(table.id),
      cause: error,
    });
  }
  return batch;
}

function keyOf(table: ViewTable, batch: RowBatch, index: number): RowKey | null {
  return table.key === null ? null : table.keyIndexes.map((column) => batch.text(index, column));
}
