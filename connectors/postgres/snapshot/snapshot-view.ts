import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type { BlankBatch, Chunk, ChunkEnd, SnapshotTable, SnapshotView } from '../../../src/core/snapshot.ts';
import type { PgPosition } from '../positions.ts';
import { readChunk } from './read-chunk.ts';
import type { ReaderConnection } from './reader-connection.ts';
import { blankBatch, type RowBatches, type ViewPoint } from './row-batch.ts';
import type { PgViewMark } from './view-mark.ts';
import { requireTable, type ViewTable } from './view-table.ts';

const END_DEADLINE_MS = 5_000;

export interface ViewParts {
  /** Each in a transaction on the same snapshot. */
  readonly connections: readonly ReaderConnection[];
  readonly tables: ReadonlyMap<string, ViewTable>;
  readonly mark: PgViewMark;
  readonly point: ViewPoint;
  readonly batches: RowBatches;
  readonly silenceMs: number;
  /** Called once the view is gone. */
  readonly onEnd: () => void;
}

/** One snapshot of the database, held open by read-only transactions that hold locks against what MVCC does not cover. */
export class PgSnapshotView implements SnapshotView<PgPosition> {
  readonly #parts: ViewParts;

  constructor(parts: ViewParts) {
    this.#parts = parts;
  }

  get mark(): string {
    return this.#parts.mark.toString();
  }

  contains(batch: ChangeBatch<PgPosition>, index: number): boolean {
    return this.#parts.mark.contains(batch, index);
  }

  isPassed(position: PgPosition): boolean {
    return this.#parts.mark.isPassed(position);
  }

  async blank(table: SnapshotTable): Promise<BlankBatch<PgPosition>> {
    return blankBatch(requireTable(this.#parts.tables, table.id).version, this.#parts.point);
  }

  async *read(
    chunk: Chunk,
    reader: number,
    signal: AbortSignal,
  ): AsyncGenerator<ChangeBatch<PgPosition>, ChunkEnd, void> {
    const { connections, tables, point, batches, silenceMs } = this.#parts;
    const table = requireTable(tables, chunk.table.id);
    const connection = connections[reader]!;
    return yield* readChunk({ connection, table, chunk, point, batches, silenceMs }, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endTransactions(this.#parts.connections);
    this.#parts.onEnd();
  }
}

/** Each connection is fit for the next transaction, or gone. */
export async function endTransactions(connections: readonly ReaderConnection[]): Promise<void> {
  await Promise.all(connections.map((connection) => connection.endTransaction(AbortSignal.timeout(END_DEADLINE_MS))));
}
