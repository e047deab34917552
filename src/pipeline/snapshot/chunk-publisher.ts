import type { ChangeBatch, RowRead } from '../../core/change-batch.ts';
import { PoisonChangeError } from '../../core/errors.ts';
import type { SourceSettings } from '../../core/settings.ts';
import type { Sink } from '../../core/sink.ts';
import type { Chunk, ChunkEnd, RowKey, SnapshotMarker, SnapshotReader, SnapshotView } from '../../core/snapshot.ts';
import { qualifiedName } from '../../core/table.ts';
import type { InFlightBatch } from '../ack-tracker.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { RowPublisher } from '../row-publisher.ts';
import type { TablePlans } from '../table-plans.ts';
import type { RowIdentities } from './row-identities.ts';
import type { RoundChunk, SnapshotRounds } from './snapshot-rounds.ts';

export interface ChunkPublisherParts<P> {
  readonly settings: SourceSettings;
  readonly reader: SnapshotReader<P>;
  readonly rounds: SnapshotRounds;
  readonly identities: RowIdentities;
  readonly plans: TablePlans;
  readonly rows: RowPublisher;
  readonly deadLetters: DeadLetters;
  readonly sink: Sink;
  readonly nowUs: () => number;
  /** Rows were published. */
  readonly counted: (table: string, rows: number) => void;
}

/** Publishes chunks of a view, each row as the rounds judge it. */
export class ChunkPublisher<P> {
  readonly #parts: ChunkPublisherParts<P>;
  #isFirst = true;

  constructor(parts: ChunkPublisherParts<P>) {
    this.#parts = parts;
  }

  /** Appends the chunk's rows under the entry's ticket and tells the rounds how far it came. */
  async publish(
    view: SnapshotView<P>,
    round: RoundChunk,
    chunk: Chunk,
    reader: number,
    entry: InFlightBatch<P>,
    signal: AbortSignal,
  ): Promise<void> {
    const pass = new ChunkPass(chunk, new TablePass(1));
    const end = await this.#pass(view, round, pass, reader, entry, signal);
    this.#parts.rounds.ended(round, end, pass.rows, pass.left);
    this.#parts.counted(round.table, pass.rows);
  }

  /**
   * Appends all rows of a table without key, in chunks that are read at the same time, one by each reader. The rounds are
   * told only when all are: what is left of it cannot be read in another view.
   */
  async publishWhole(
    view: SnapshotView<P>,
    round: RoundChunk,
    chunks: readonly Chunk[],
    entry: InFlightBatch<P>,
    signal: AbortSignal,
  ): Promise<void> {
    const whole = new TablePass(chunks.length);
    const passes = chunks.map((chunk, reader) =>
      this.#pass(view, round, new ChunkPass(chunk, whole), reader, entry, signal),
    );
    await Promise.all(passes).finally(() => Promise.allSettled(passes));
    this.#parts.rounds.ended(round, { last: null, isDone: true }, whole.rows);
    this.#parts.counted(round.table, whole.rows);
  }

  async #pass(
    view: SnapshotView<P>,
    round: RoundChunk,
    pass: ChunkPass,
    reader: number,
    entry: InFlightBatch<P>,
    signal: AbortSignal,
  ): Promise<ChunkEnd> {
    const { sink } = this.#parts;
    const { chunk } = pass;
    const batches = view.read(chunk, reader, signal);
    let end: ChunkEnd | null = null;
    let next = await batches.next();
    while (next.done !== true) {
      const batch = next.value;
      try {
        await this.#prepare(batch, signal);
        // The last row waits until it is known whether it is the last of all.
        const isWhole = this.#publishRows(batch, 0, batch.count - 1, pass, round, entry);
        next = isWhole ? await batches.next() : await batches.return(pass.stoppedAt());
        const isEnd = next.done === true && isWhole && next.value.isDone;
        if (isEnd) pass.end();
        const isLast = isEnd && pass.table.reading === 0 && this.#isLastOf(round);
        if (isWhole) this.#publishRows(batch, batch.count - 1, batch.count, pass, round, entry, isLast);
        if (pass.isStopped) {
          end = pass.stoppedAt();
          if (next.done !== true) {
            next.value.release();
            next = await batches.return(end);
          }
        }
      } finally {
        batch.release();
      }
      await sink.ready(signal);
    }
    pass.end();
    return end ?? next.value;
  }

  async #prepare(batch: ChangeBatch<P>, signal: AbortSignal): Promise<void> {
    for (let index = 0; index < batch.count; index++) {
      const version = batch.versions[index]!;
      if (this.#parts.plans.lookUp(version) === null) await this.#parts.plans.prepare(version, signal);
    }
    this.#parts.rows.processedAtUs = this.#parts.nowUs();
  }

  /** @returns false where a row is met at which the chunk ends. */
  #publishRows(
    batch: ChangeBatch<P>,
    from: number,
    to: number,
    pass: ChunkPass,
    round: RoundChunk,
    entry: InFlightBatch<P>,
    isLast = false,
  ): boolean {
    const { rounds, identities, reader } = this.#parts;
    const { table } = pass.chunk;
    const judges = rounds.judges(round.table);
    for (let index = from; index < to; index++) {
      if (judges) {
        const key = identities.of(batch, index, batch.versions[index]!, 'after');
        const verdict = key === null ? 'stop' : rounds.judge(round.table, key);
        if (verdict === 'stop') {
          if (pass.chunk.keys === null && !rounds.holdsStream) {
            if (index > 0) pass.last = reader.keyOf(table, batch, index - 1);
            pass.isStopped = true;
            return false;
          }
          const again = reader.keyOf(table, batch, index);
          if (again !== null) pass.left.push(again);
        }
        if (verdict !== 'emit') continue;
      }
      batch.details[index] = MARKED[this.#marker(pass, isLast)];
      this.#publishRow(batch, index, entry);
      pass.rows += 1;
      pass.table.rows += 1;
    }
    if (to === batch.count && to > 0 && table.key !== null) pass.last = reader.keyOf(table, batch, to - 1);
    return true;
  }

  #publishRow(batch: ChangeBatch<P>, index: number, entry: InFlightBatch<P>): void {
    const { plans, rows, settings, deadLetters } = this.#parts;
    const version = batch.versions[index]!;
    const { plan, refusal } = plans.lookUp(version)!;
    entry.changes += 1;
    try {
      if (plan === null) throw refusal;
      rows.read(batch, index, plan, entry.ticket);
    } catch (error) {
      if (plan !== null && !(error instanceof PoisonChangeError)) throw error;
      const poison = error as PoisonChangeError;
      if (plan !== null && settings.onPoison === 'fail')
        throw located(poison, settings.name, qualifiedName(version.id));
      const nowMs = Math.floor(rows.processedAtUs / 1000);
      deadLetters.appendRow(batch, index, version, poison, null, nowMs, entry.ticket);
    }
  }

  #isLastOf({ table, range, keys }: RoundChunk): boolean {
    const progress = this.#parts.rounds.progress.tables?.find((each) => each.table === table);
    if (progress === undefined || keys !== null) return false;
    return progress.again.length === 0 && progress.ranges.every(({ isDone }, index) => isDone || index === range);
  }

  #marker({ chunk, table }: ChunkPass, isLast: boolean): SnapshotMarker {
    const { progress } = this.#parts.rounds;
    if (progress.kind === 'incremental') return 'incremental';
    const tables = progress.tables ?? [];
    const name = qualifiedName(chunk.table.id);
    const isFirstOfTable = table.rows === 0 && tables.every((each) => each.table !== name || each.rows === 0);
    const isFirst = this.#isFirst && tables.every((each) => each.rows === 0);
    this.#isFirst = false;
    if (isLast) return tables.at(-1)?.table === name ? 'last' : 'last_in_data_collection';
    if (isFirst) return 'first';
    return isFirstOfTable ? 'first_in_data_collection' : 'true';
  }
}

/** Rows of one marker share their detail: it is the same for nearly all. */
const MARKED: Readonly<Record<SnapshotMarker, RowRead>> = {
  first: { marker: 'first' },
  first_in_data_collection: { marker: 'first_in_data_collection' },
  true: { marker: 'true' },
  last_in_data_collection: { marker: 'last_in_data_collection' },
  last: { marker: 'last' },
  incremental: { marker: 'incremental' },
};

/** Chunks of a table that are read at the same time, as one. */
class TablePass {
  rows = 0;
  /** How many of them are not read to their end. */
  reading: number;

  constructor(chunks: number) {
    this.reading = chunks;
  }
}

/** One chunk on its way. */
class ChunkPass {
  readonly chunk: Chunk;
  readonly table: TablePass;
  /** Keys of the chunk that have to be read once more. */
  readonly left: RowKey[] = [];
  rows = 0;
  last: RowKey | null = null;
  isStopped = false;
  #isEnded = false;

  constructor(chunk: Chunk, table: TablePass) {
    this.chunk = chunk;
    this.table = table;
  }

  /** All its rows were met. */
  end(): void {
    if (!this.#isEnded) this.table.reading -= 1;
    this.#isEnded = true;
  }

  stoppedAt(): ChunkEnd {
    return { last: this.last, isDone: false };
  }
}

function located(error: PoisonChangeError, source: string, table: string): PoisonChangeError {
  const { code, remedy } = error;
  return new PoisonChangeError(error.message, { code, remedy, source, table, position: 'snapshot', cause: error });
}
