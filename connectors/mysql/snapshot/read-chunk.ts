import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import { TailraceError, TransientError } from '../../../src/core/errors.ts';
import type { MessageArena } from '../../../src/core/message-arena.ts';
import type { Chunk, ChunkEnd, RowKey } from '../../../src/core/snapshot.ts';
import { CELL_NULL, qualifiedName, RowCells } from '../../../src/core/table.ts';
import { untilAborted } from '../../../src/core/until-aborted.ts';
import type { MySqlPosition } from '../positions.ts';
import { binaryWidths, locateBinaryRow } from '../protocol/binary-row.ts';
import { numberOf } from '../server-error.ts';
import { chunkStatement } from './chunk-statement.ts';
import { filterError } from './filter-error.ts';
import { MySqlReadBatch, type ReadPlace } from './read-batch.ts';
import type { ReadTable } from './read-table.ts';
import type { ReaderConnection } from './reader-connection.ts';
import type { RowSource } from './row-source.ts';
import { changed } from './table-definition.ts';

/** Silence of the server while rows are waited for: a filter may pass over many. */
const SILENCE_LIMIT_MS = 600_000;

export interface ChunkReading {
  readonly connection: ReaderConnection;
  readonly table: ReadTable;
  readonly chunk: Chunk;
  readonly place: ReadPlace;
  /** Ends the statement of the connection, of which rows are still to come. */
  readonly cancel: (rows: RowSource) => Promise<void>;
}

/**
 * Reads one chunk. What arrives together becomes one batch, which is given when the next has arrived, or the end: then it is
 * known whether another row follows.
 */
export async function* readChunk(
  { connection, table, chunk, place, cancel }: ChunkReading,
  signal: AbortSignal,
): AsyncGenerator<ChangeBatch<MySqlPosition>, ChunkEnd, void> {
  const name = qualifiedName(table.version.id);
  const startedMs = performance.now();
  const rows = await connection
    .stream(`reading ${name}`, chunkStatement(table, chunk), signal)
    .catch((error: unknown) => Promise.reject(readingError(error, name, chunk.filter)));
  const cutter = new ChunkCutter(table, chunk, startedMs);
  let held: MySqlReadBatch | null = null;
  try {
    while (!cutter.isCut) {
      const arena = rows.inbox.take();
      if (arena === null) {
        if (rows.isEnded) break;
        rows.wantMore();
        if (!(await waitForRows(rows, cutter.remainingMs(), name, signal))) cutter.cutNow();
        continue;
      }
      requireSameColumns(table, rows, name);
      const batch = cutter.batchOf(arena, rows, place);
      if (batch === null) continue;
      const complete = held;
      held = batch;
      if (complete !== null) yield complete;
    }
    const end = cutter.end();
    // It is complete now, whatever comes of the rest of the statement.
    if (!rows.isEnded) await cancel(rows);
    else rows.discard();
    if (held !== null) {
      const last = held;
      held = null;
      yield last;
    }
    return end;
  } catch (error) {
    throw readingError(error, name, chunk.filter);
  } finally {
    held?.release();
    if (!rows.isEnded) await cancel(rows);
  }
}

/** Decides which rows a chunk has: up to the first limit that is met, and at least one. */
class ChunkCutter {
  isCut = false;
  readonly #table: ReadTable;
  readonly #chunk: Chunk;
  readonly #deadlineMs: number;
  readonly #hasLimits: boolean;
  readonly #cells: RowCells;
  readonly #widths: Uint8Array;
  #rows = 0;
  #bytes = 0;
  #last: RowKey | null = null;

  constructor(table: ReadTable, chunk: Chunk, startedMs: number) {
    this.#table = table;
    this.#chunk = chunk;
    this.#deadlineMs = startedMs + chunk.limits.timeMs;
    this.#hasLimits = table.key !== null;
    const columns = table.version.columns.length;
    this.#cells = new RowCells(columns);
    this.#widths = table.version.widths;
  }

  /** Milliseconds until the chunk ends with what it has; Infinity while it must have more. */
  remainingMs(): number {
    return this.#hasLimits && this.#rows > 0 ? this.#deadlineMs - performance.now() : Number.POSITIVE_INFINITY;
  }

  cutNow(): void {
    this.isCut = true;
  }

  end(): ChunkEnd {
    return { last: this.#last, isDone: !this.isCut };
  }

  /** The rows of the arena that belong to the chunk, as a batch; null where there are none. */
  batchOf(arena: MessageArena, { inbox }: RowSource, place: ReadPlace): MySqlReadBatch | null {
    const count = this.#countOf(arena);
    const batch = count === 0 ? null : new MySqlReadBatch(inbox.pool, () => {});
    if (batch !== null) {
      batch.open(arena);
      batch.place = place;
      for (let index = 0; index < count; index++) {
        batch.addRow(this.#table.version, arena.starts[index] as number, arena.ends[index] as number);
      }
      this.#last = this.#keyAt(arena, count - 1);
    }
    inbox.pool.letGo(arena);
    return batch;
  }

  #countOf(arena: MessageArena): number {
    if (!this.#hasLimits) return arena.count;
    const { limits } = this.#chunk;
    if (this.#rows > 0 && performance.now() > this.#deadlineMs) {
      this.isCut = true;
      return 0;
    }
    for (let index = 0; index < arena.count; index++) {
      const bytes = (arena.ends[index] as number) - (arena.starts[index] as number);
      if (this.#rows > 0 && (this.#rows >= limits.rows || this.#bytes + bytes > limits.bytes)) {
        this.isCut = true;
        return index;
      }
      this.#rows += 1;
      this.#bytes += bytes;
    }
    return arena.count;
  }

  #keyAt({ bytes, starts, ends }: MessageArena, index: number): RowKey | null {
    const { key } = this.#table;
    if (key === null) return null;
    const cells = this.#cells;
    const [start, end] = [starts[index] as number, ends[index] as number];
    locateBinaryRow(bytes, start, end, this.#widths, cells.starts, cells.ends, CELL_NULL);
    return key.columns.map(({ place, form }) =>
      form.read(bytes, cells.starts[place] as number, cells.ends[place] as number),
    );
  }
}

/** @returns false where nothing came in time. */
async function waitForRows(rows: RowSource, withinMs: number, name: string, signal: AbortSignal): Promise<boolean> {
  if (withinMs <= 0) return false;
  const isChunkDeadline = withinMs < SILENCE_LIMIT_MS;
  const deadline = AbortSignal.timeout(Math.ceil(Math.min(withinMs, SILENCE_LIMIT_MS)));
  try {
    await untilAborted(rows.inbox.waitForMore(), AbortSignal.any([signal, deadline]));
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!deadline.aborted) throw error;
    if (isChunkDeadline) return false;
    throw new TransientError(`No row of ${name} came within ${SILENCE_LIMIT_MS / 1000} s.`, {
      code: 'MYSQL_QUERY_TIMEOUT',
      remedy: 'Give the columns of the filter an index, look for load on the server.',
      table: name,
    });
  }
}

function requireSameColumns({ version }: ReadTable, { types }: RowSource, name: string): void {
  const widths = binaryWidths(Uint8Array.from(types));
  const isSame = widths.length === version.widths.length && widths.every((width, at) => width === version.widths[at]);

  if (!isSame) throw changed(name);
}

/** ER_BAD_DB_ERROR, ER_BAD_FIELD_ERROR: DDL came between, where they are not about a filter. */
const ALTERED: ReadonlySet<number | null> = new Set([1049, 1054]);

function readingError(error: unknown, name: string, filter: string | null): unknown {
  if (filter !== null) return filterError(error, name) ?? error;
  return error instanceof TailraceError && ALTERED.has(numberOf(error.cause)) ? changed(name) : error;
}
