import type { Clock } from '../../core/clock.ts';
import type { DeletionEncoder, RecordEncoder } from '../../core/encoder.ts';
import { TransientError } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import type { OutgoingRecord, Sink } from '../../core/sink.ts';
import type { BlankBatch, SnapshotReader } from '../../core/snapshot.ts';
import type { TableToSweep } from '../../core/snapshot-progress.ts';
import type { SourceBlock } from '../../core/source-block.ts';
import type { StaleKeyFinder, StaleKeys } from '../../core/stale-keys.ts';
import { qualifiedName } from '../../core/table.ts';
import type { InFlightBatch } from '../ack-tracker.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TablePlans } from '../table-plans.ts';

/** Keys that are told of while the stream rests: for a fraction of a second. */
const LOT_KEYS = 500;
const RETRY_MS = 1_000;

export interface DeletePassParts<P> {
  readonly encoder: RecordEncoder;
  readonly sourceBlock: SourceBlock;
  readonly plans: TablePlans;
  readonly sink: Sink;
  readonly finder: StaleKeyFinder;
  /** Whether a delete is followed by a tombstone. */
  readonly tombstones: boolean;
  readonly openReader: (signal: AbortSignal) => Promise<SnapshotReader<P>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Found {
  readonly keys: StaleKeys;
  readonly plan: TablePlan;
  readonly deletion: DeletionEncoder;
  readonly blank: BlankBatch<unknown>;
}

/**
 * Deletes from the topics what a resync did not meet in the tables: keys of which the topic says that there is a row, and of
 * which nothing was told since the resync began. A table after the other; begun again after a crash, it finds what is left.
 */
export class DeletePass<P> implements AsyncDisposable {
  readonly #parts: DeletePassParts<P>;
  readonly #closed = new AbortController();
  #left: readonly TableToSweep[];
  #search: Promise<void> | null = null;
  #found: Found | null = null;
  #failure: { readonly error: unknown } | null = null;
  #retryAtMs = 0;
  #deleted = 0;
  #hasMore = false;

  constructor(parts: DeletePassParts<P>, tables: readonly TableToSweep[]) {
    this.#parts = parts;
    this.#left = tables;
  }

  /** Tables that are not done. */
  get left(): readonly TableToSweep[] {
    return this.#left;
  }

  get wantsStep(): boolean {
    if (this.#failure !== null) return true;
    if (this.#search !== null) return false;
    return this.#found !== null || this.#parts.clock.nowMs() >= this.#retryAtMs;
  }

  /** Does the next thing; the stream rests at a boundary. */
  async step(position: P, entry: InFlightBatch<P>, signal: AbortSignal): Promise<void> {
    if (this.#failure !== null) throw this.#failure.error;
    const [table] = this.#left;
    if (table === undefined) return;
    if (this.#found === null) await this.#begin(table, position, signal);
    else await this.#delete(this.#found, entry, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(new DOMException('The run of the source has ended.', 'AbortError'));
    await this.#search;
    await this.#found?.keys[Symbol.asyncDispose]();
    this.#found = null;
  }

  /** Looks the table up, and has its topic read while the stream goes on. */
  async #begin(table: TableToSweep, position: P, signal: AbortSignal): Promise<void> {
    const { plans, logger, clock } = this.#parts;
    const blank = await this.#blank(table.table, position, signal);
    if (blank === 'later') {
      this.#retryAtMs = clock.nowMs() + RETRY_MS;
      return;
    }
    const version = blank?.versions[0] ?? null;
    if (version !== null) await plans.prepare(version, signal);
    const plan = version === null ? null : (plans.lookUp(version)?.plan ?? null);
    if (blank === null || version === null || plan === null || plan.shape.key === null) {
      logger.info({ table: table.table }, 'the table has no keys to look for in its topic');
      this.#left = this.#left.slice(1);
      return;
    }
    this.#deleted = 0;
    const deletion = await this.#parts.encoder.prepareDeletion(plan.shape, this.#parts.sourceBlock, signal);
    this.#search = this.#beside(() => this.#find(table, plan, deletion, blank));
  }

  async #find(
    table: TableToSweep,
    plan: TablePlan,
    deletion: DeletionEncoder,
    blank: BlankBatch<unknown>,
  ): Promise<void> {
    const { finder, logger } = this.#parts;
    logger.info({ table: table.table, topic: plan.shape.topic }, 'the topic is read for rows that are gone');
    const request = { version: plan.version, topic: plan.shape.topic, since: table.since };
    const keys = await finder.find(request, this.#closed.signal);
    this.#found = { keys, plan, deletion, blank };
    await this.#prepare(this.#found);
  }

  async #prepare({ keys }: Found): Promise<void> {
    this.#hasMore = await keys.prepare(LOT_KEYS, this.#closed.signal);
  }

  /** Does something while the stream goes on; what goes wrong is told by the next step. */
  async #beside(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#failure = { error };
    } finally {
      this.#search = null;
    }
  }

  async #delete(found: Found, entry: InFlightBatch<P>, signal: AbortSignal): Promise<void> {
    const { sink, logger } = this.#parts;
    if (this.#hasMore) {
      await sink.flush(signal);
      const keys = await found.keys.take(signal);
      for (const key of keys) this.#publish(key, found, entry);
      this.#deleted += keys.length;
      this.#search = this.#beside(() => this.#prepare(found));
      return;
    }
    const [done] = this.#left;
    logger.info({ table: done!.table, rows: this.#deleted }, 'rows that are gone were deleted from the topic');
    this.#left = this.#left.slice(1);
    this.#found = null;
    await found.keys[Symbol.asyncDispose]();
  }

  #publish(key: Buffer, { plan, deletion, blank }: Found, { ticket }: InFlightBatch<P>): void {
    const { encoder, clock, tombstones } = this.#parts;
    const { output } = encoder;
    const nowUs = clock.nowUs();
    blank.details[0] = { marker: 'incremental' };
    output.reset();
    deletion.writeValue(key, blank, nowUs);
    const bytes = Buffer.concat([key, output.bytes.subarray(0, output.length)]);
    output.reset();
    const record: OutgoingRecord = {
      bytes,
      keyStart: 0,
      keyEnd: key.length,
      valueStart: key.length,
      valueEnd: bytes.length,
      headers: [],
      timestampMs: Math.floor(nowUs / 1000),
      partition: -1,
    };
    if (!plan.topic.append(record, ticket)) return;
    if (tombstones) plan.topic.append({ ...record, valueStart: -1, valueEnd: -1 }, ticket);
    plan.counts.d.add(1);
  }

  /** Null where the table is gone or has no key. */
  async #blank(name: string, position: P, signal: AbortSignal): Promise<BlankBatch<P> | 'later' | null> {
    await using reader = await this.#parts.openReader(signal);
    const table = (await reader.readTables(signal)).find(({ id }) => qualifiedName(id) === name);
    if (table === undefined || table.key === null) return null;
    try {
      const opened = await reader.openView({ tables: [table], readers: 1, emittedUpTo: position }, signal);
      if ('refusal' in opened) return 'later';
      await using view = opened;
      return await view.blank(table, signal);
    } catch (error) {
      if (!(error instanceof TransientError) || signal.aborted) throw error;
      return 'later';
    }
  }
}
