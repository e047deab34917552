import { connector } from '../../../connectors/postgres/index.ts';
import type { PgPosition } from '../../../connectors/postgres/positions.ts';
import type { ChangeBatch } from '../../../src/core/change-batch.ts';
import type {
  Chunk,
  ChunkEnd,
  ChunkLimits,
  RowKey,
  SnapshotReader,
  SnapshotTable,
  SnapshotView,
} from '../../../src/core/snapshot.ts';
import { CELL_NULL, RowCells, type TableVersion } from '../../../src/core/table.ts';
import { awaitUntil } from '../../support/await-until.ts';
import type { SourceUnderTest } from './source-under-test.ts';

export const NO_LIMITS: ChunkLimits = { rows: 1_000_000_000, bytes: 2 ** 52, timeMs: 2 ** 40 };

export type SeenRow = Readonly<Record<string, string | null>>;

export interface SeenChunk {
  readonly rows: readonly SeenRow[];
  readonly end: ChunkEnd;
  readonly versions: readonly (TableVersion | null)[];
}

export function openReader(source: SourceUnderTest): Promise<SnapshotReader<PgPosition>> {
  return connector.openSnapshotReader!(source.config, source.dependencies, source.signal);
}

/** A view of the tables, asked for until there is one. */
export async function openView(
  reader: SnapshotReader<PgPosition>,
  tables: readonly SnapshotTable[],
  readers = 1,
): Promise<SnapshotView<PgPosition>> {
  let refusal = '';
  return awaitUntil(
    'a view was opened',
    async () => {
      const view = await tryToOpenView(reader, tables, readers);
      if (typeof view !== 'string') return view;
      refusal = view;
      return null;
    },
    { timeoutMs: 15_000 },
  ).catch((error: unknown) => {
    throw new Error(`refused: ${refusal}`, { cause: error });
  });
}

/** @returns the refusal where there is one. */
export async function tryToOpenView(
  reader: SnapshotReader<PgPosition>,
  tables: readonly SnapshotTable[],
  readers = 1,
  emittedUpTo: PgPosition | null = null,
): Promise<SnapshotView<PgPosition> | string> {
  const { signal } = new AbortController();
  const view = await reader.openView({ tables, readers, emittedUpTo }, signal);
  return 'refusal' in view ? view.refusal : view;
}

export async function tableNamed(reader: SnapshotReader<PgPosition>, name: string): Promise<SnapshotTable> {
  const tables = await reader.readTables(new AbortController().signal);
  const table = tables.find(({ id }) => `${id.schema}.${id.name}` === name);
  if (table === undefined) throw new Error(`no ${name} among ${tables.map(({ id }) => id.name).join(', ')}`);
  return table;
}

export function chunkOf(table: SnapshotTable, parts: Partial<Chunk> = {}): Chunk {
  return { table, after: null, upTo: null, keys: null, filter: null, limits: NO_LIMITS, ...parts };
}

/** Reads a whole chunk as texts of the columns. */
export async function readChunk(
  view: SnapshotView<PgPosition>,
  chunk: Chunk,
  reader = 0,
  signal = new AbortController().signal,
): Promise<SeenChunk> {
  const rows: SeenRow[] = [];
  const versions: (TableVersion | null)[] = [];
  const reading = view.read(chunk, reader, signal);
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return { rows, versions, end: next.value };
    for (let index = 0; index < next.value.count; index++) {
      rows.push(rowOf(next.value, index));
      versions.push(next.value.versions[index] ?? null);
    }
    next.value.release();
  }
}

/** Reads a table chunk by chunk. */
export async function readInChunks(
  view: SnapshotView<PgPosition>,
  table: SnapshotTable,
  limits: Partial<ChunkLimits>,
): Promise<readonly SeenChunk[]> {
  const chunks: SeenChunk[] = [];
  let after: RowKey | null = null;
  for (;;) {
    const chunk = await readChunk(view, chunkOf(table, { after, limits: { ...NO_LIMITS, ...limits } }));
    chunks.push(chunk);
    if (chunk.end.isDone) return chunks;
    after = chunk.end.last;
  }
}

export function rowOf(batch: ChangeBatch<unknown>, index: number): SeenRow {
  const version = batch.versions[index]!;
  const cells = new RowCells();
  cells.reserve(version.columns.length);
  version.locate(batch, index, 'after', cells);
  return Object.fromEntries(
    version.columns.map(({ name }, column): [string, string | null] => {
      const start = cells.starts[column]!;
      return [name, start === CELL_NULL ? null : batch.bytes.toString('utf8', start, cells.ends[column])];
    }),
  );
}
