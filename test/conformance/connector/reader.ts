import { type ChangeBatch, ChangeKind, type Truncate } from '../../../src/core/change-batch.ts';
import type { ChangeStream, SourceSession } from '../../../src/core/connector.ts';
import { qualifiedName, RowCells, type TableVersion } from '../../../src/core/table.ts';
import { type Plain, PlainWriter } from '../../support/plain-writer.ts';

/** A row as a consumer sees it. What an image does not have is missing. */
export type Row = Readonly<Record<string, Plain>>;

export interface SeenChange {
  readonly kind: keyof typeof ChangeKind;
  /** Name of the row's table without its database. */
  readonly table: string | null;
  readonly before: Row | null;
  readonly after: Row | null;
  /** The source block of a row. */
  readonly source: Plain;
  /** Text form of the position. */
  readonly resumeAt: string | null;
  /** Id of the transaction around it. */
  readonly transaction: string | null;
  readonly fingerprint: string | null;
  /** Qualified names of the tables that were truncated. */
  readonly truncated: readonly string[];
}

const KIND_NAMES = new Map(Object.entries(ChangeKind).map(([name, kind]) => [kind, name as SeenChange['kind']]));
const DEADLINE_MS = 20_000;

/** Reads a stream and shows its changes as a consumer of the topics would see them. */
export class Reader implements AsyncDisposable {
  readonly session: SourceSession<unknown>;
  readonly stream: ChangeStream<unknown>;
  /** Text form of where the stream started. */
  readonly from: string;
  readonly #encode: (position: unknown) => string;
  readonly #batches: AsyncIterator<ChangeBatch<unknown>, void>;
  #transaction: string | null = null;

  constructor(
    session: SourceSession<unknown>,
    stream: ChangeStream<unknown>,
    from: string,
    encode: (position: unknown) => string,
  ) {
    this.session = session;
    this.stream = stream;
    this.from = from;
    this.#encode = encode;
    this.#batches = stream[Symbol.asyncIterator]();
  }

  /** The next batch, which the caller releases. */
  async nextBatch(timeoutMs = DEADLINE_MS): Promise<ChangeBatch<unknown>> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`no batch came within ${timeoutMs} ms`)), timeoutMs);
    try {
      const { value, done } = await Promise.race([this.#batches.next(), late.promise]);
      if (done === true || value === undefined) throw new Error('the stream ended');
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads whole batches until one has a change that is the last. */
  async readUntil(isLast: (change: SeenChange) => boolean, timeoutMs = DEADLINE_MS): Promise<SeenChange[]> {
    const deadline = performance.now() + timeoutMs;
    const seen: SeenChange[] = [];
    try {
      while (!seen.some(isLast)) {
        const batch = await this.nextBatch(deadline - performance.now());
        seen.push(...this.see(batch));
        batch.release();
      }
    } catch (error) {
      throw error instanceof Error && error.message.startsWith('no batch')
        ? new Error(`saw only ${show(seen.slice(-10))}`, { cause: error })
        : error;
    }
    return seen;
  }

  /** Reads through the commit of the transaction that wrote a row with this text in the column `v`. */
  async readThrough(text: string): Promise<SeenChange[]> {
    let found = false;
    return this.readUntil((change) => {
      found ||= change.after?.v === text;
      return found && change.kind === 'commit';
    });
  }

  /** The changes of a batch that is not released. Batches must come in the order of the stream. */
  see(batch: ChangeBatch<unknown>): SeenChange[] {
    return Array.from({ length: batch.count }, (_, index) => this.#change(batch, index));
  }

  #change(batch: ChangeBatch<unknown>, index: number): SeenChange {
    const kind = KIND_NAMES.get(batch.kinds[index] as ChangeKind);
    if (kind === undefined) throw new Error(`a change of kind ${batch.kinds[index]}`);
    const version = batch.versions[index] ?? null;
    const detail = batch.details[index] ?? null;
    if (kind === 'begin') this.#transaction = (detail as { id: string }).id;
    const transaction = kind === 'heartbeat' ? null : this.#transaction;
    if (kind === 'commit') this.#transaction = null;
    return {
      kind,
      table: version?.id.name ?? null,
      before: version !== null && batch.hasBefore[index] === 1 ? imageOf(batch, index, version, 'before') : null,
      after: version !== null && kind !== 'delete' ? imageOf(batch, index, version, 'after') : null,
      source: version === null ? null : this.#sourceOf(batch, index, version),
      resumeAt: detail !== null && 'resumeAt' in detail ? this.#encode(detail.resumeAt) : null,
      transaction,
      fingerprint: version?.fingerprint ?? null,
      truncated: kind === 'truncate' ? (detail as Truncate).tables.map(({ id }) => qualifiedName(id)) : [],
    };
  }

  #sourceOf(batch: ChangeBatch<unknown>, index: number, version: TableVersion): Plain {
    const { sourceBlock } = this.session;
    const out = new PlainWriter(sourceBlock.schema);
    sourceBlock.write(out, batch, index, version);
    return out.take() ?? null;
  }

  /** As a daemon that stops. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream[Symbol.asyncDispose]();
    await this.session[Symbol.asyncDispose]();
  }
}

function imageOf(batch: ChangeBatch<unknown>, index: number, version: TableVersion, image: 'before' | 'after'): Row {
  const cells = new RowCells();
  cells.reserve(version.columns.length);
  version.locate(batch, index, image, cells);
  const row: Record<string, Plain> = {};
  version.columns.forEach(({ name, codec }, column) => {
    const start = cells.starts[column] as number;
    if (start === -1) row[name] = null;
    if (start < 0) return;
    const out = new PlainWriter(codec.schema);
    if (!codec.write(batch.bytes, start, cells.ends[column] as number, out)) throw new Error(`${name} has no value`);
    row[name] = out.take() as Plain;
  });
  return row;
}

/** Everything but heartbeats, whose number depends on the moment. */
export function withoutHeartbeats(changes: readonly SeenChange[]): SeenChange[] {
  return changes.filter(({ kind }) => kind !== 'heartbeat');
}

/** Texts of the column `v` of inserted rows. */
export function insertedTexts(changes: readonly SeenChange[]): Plain[] {
  return changes.filter(({ kind }) => kind === 'insert').map(({ after }) => after?.v ?? null);
}

export function show(changes: readonly SeenChange[]): string {
  return JSON.stringify(changes, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
