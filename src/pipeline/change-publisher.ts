import {
  type ChangeBatch,
  ChangeKind,
  type Heartbeat,
  type LogicalMessage,
  type TransactionBegin,
  type TransactionCommit,
  type Truncate,
} from '../core/change-batch.ts';
import type { RecordEncoder } from '../core/encoder.ts';
import { PoisonChangeError, type TailraceError } from '../core/errors.ts';
import type { SourceSettings } from '../core/settings.ts';
import type { TableVersion } from '../core/table.ts';
import type { InFlightBatch } from './ack-tracker.ts';
import { type DeadLetters, MESSAGE_COLLECTION } from './dead-letters.ts';
import type { EventPublisher } from './event-publisher.ts';
import type { RowPublisher } from './row-publisher.ts';
import type { StreamWatch } from './stream-watch.ts';
import type { Prepared, TablePlans } from './table-plans.ts';
import { TransactionCounter } from './transaction-order.ts';

export interface ChangePublisherDependencies {
  readonly settings: SourceSettings;
  readonly encoder: RecordEncoder;
  readonly plans: TablePlans;
  readonly rows: RowPublisher;
  readonly events: EventPublisher;
  readonly deadLetters: DeadLetters;
  /** Prepares what a logical message needs. */
  readonly prepareMessages: (signal: AbortSignal) => Promise<void>;
  /** Prepares what the schema-change topic needs. */
  readonly prepareSchemaChanges: (signal: AbortSignal) => Promise<void>;
  readonly nowUs: () => number;
}

/**
 * Publishes change batches in order. Within a batch everything is synchronous, except that the first change of a table
 * version waits until its schemas have ids and its topic exists.
 */
export class ChangePublisher<P> {
  readonly #dependencies: ChangePublisherDependencies;
  readonly #settings: SourceSettings;
  readonly #transaction = new TransactionCounter();
  #rests = false;
  /** Publishes nothing beyond the transaction that is open: for a stop. */
  stopsAtBoundary = false;
  /** Sees everything before it is published, and may have the publisher rest at a boundary. */
  watch: StreamWatch<P> | null = null;

  constructor(dependencies: ChangePublisherDependencies) {
    this.#dependencies = dependencies;
    this.#settings = dependencies.settings;
  }

  /** True between two transactions: everything published so far is whole. */
  get isAtBoundary(): boolean {
    return this.#transaction.current === null;
  }

  /**
   * Appends the changes of the batch from `from` on to the sink under the entry's ticket and notes the transaction
   * boundaries in the entry. When it throws, the entry holds everything before the change that could not be published.
   * @returns the next change: the batch's count, or less where the watch asked for a rest.
   */
  async publish(batch: ChangeBatch<P>, from: number, entry: InFlightBatch<P>, signal: AbortSignal): Promise<number> {
    const nowUs = this.#dependencies.nowUs();
    this.#dependencies.rows.processedAtUs = nowUs;
    const nowMs = Math.floor(nowUs / 1000);
    let index = from;
    while (index < batch.count) {
      index = this.#publishPrepared(batch, index, entry, nowMs);
      if (index === batch.count || this.#rests) break;
      await this.#prepareFor(batch, index, signal);
    }
    this.#rests = false;
    // The next change may be long in coming, or have to wait until this one is acknowledged.
    this.#dependencies.encoder.output.reset();
    return index;
  }

  /** @returns the first change that has to be prepared for or comes after the rest that begins, or the batch's count. */
  #publishPrepared(batch: ChangeBatch<P>, from: number, entry: InFlightBatch<P>, nowMs: number): number {
    const { events, plans } = this.#dependencies;
    const { watch } = this;
    const { ticket } = entry;
    for (let index = from; index < batch.count; index += 1) {
      if (this.stopsAtBoundary && this.isAtBoundary) return batch.count;
      switch (batch.kinds[index]) {
        case ChangeKind.begin: {
          const begin = batch.details[index] as TransactionBegin;
          watch?.began(batch, index);
          this.#transaction.begin(begin);
          events.begin(begin, nowMs, ticket);
          break;
        }
        case ChangeKind.commit: {
          const commit = batch.details[index] as TransactionCommit<P>;
          events.end(this.#transaction, nowMs, ticket);
          events.heartbeat(nowMs, ticket);
          this.#transaction.end();
          entry.commitTimesUs.push(commit.commitTimeUs);
          entry.commitChanges.push(this.#transaction.eventCount);
          entry.resumeAt = commit.resumeAt;
          if (watch?.reached(commit.resumeAt) === true) return this.#rest(index + 1);
          break;
        }
        case ChangeKind.heartbeat:
          events.heartbeat(nowMs, ticket);
          entry.resumeAt = (batch.details[index] as Heartbeat<P>).resumeAt;
          if (watch?.reached(entry.resumeAt) === true && this.isAtBoundary) return this.#rest(index + 1);
          break;
        case ChangeKind.message: {
          if (!events.canPublishMessages) return index;
          this.#publishMessage(batch, index, nowMs, entry);
          break;
        }
        case ChangeKind.schema:
          if (!events.canPublishSchemaChanges) return index;
          watch?.altered();
          events.schemaChange(batch, index, nowMs, ticket);
          break;
        case ChangeKind.truncate: {
          const { tables } = batch.details[index] as Truncate;
          const isSkipped = this.#settings.skippedOperations.has('t');
          if (!isSkipped && tables.some((table) => plans.lookUp(table) === null)) return index;
          const told = watch?.truncated(batch, index, tables) ?? tables;
          if (isSkipped) break;
          for (const table of told) this.#publishTruncate(batch, index, table, entry);
          break;
        }
        default: {
          const version = batch.versions[index]!;
          const prepared = plans.lookUp(version);
          if (prepared === null) return index;
          if (watch !== null && !watch.takes(batch, index, version)) break;
          this.#publishRow(batch, index, version, prepared, entry);
        }
      }
    }
    return batch.count;
  }

  #rest(next: number): number {
    this.#rests = true;
    return next;
  }

  async #prepareFor(batch: ChangeBatch<P>, index: number, signal: AbortSignal): Promise<void> {
    if (batch.kinds[index] === ChangeKind.message) return this.#dependencies.prepareMessages(signal);
    if (batch.kinds[index] === ChangeKind.schema) return this.#dependencies.prepareSchemaChanges(signal);
    const detail = batch.details[index] as Truncate | null;
    for (const version of detail?.tables ?? [batch.versions[index]!]) {
      await this.#dependencies.plans.prepare(version, signal);
    }
  }

  #publishRow(
    batch: ChangeBatch<P>,
    index: number,
    version: TableVersion,
    prepared: Prepared,
    entry: InFlightBatch<P>,
  ) {
    const { rows } = this.#dependencies;
    const { plan, refusal } = prepared;
    entry.changes += 1;
    if (plan === null) {
      this.#bury(batch, index, version, refusal, entry);
      return;
    }
    const orders = this.#settings.transactionMetadata ? this.#transaction : null;
    const countBefore = this.#transaction.eventCount;
    if (orders === null) this.#transaction.count();
    try {
      switch (batch.kinds[index]) {
        case ChangeKind.insert:
          if (!this.#settings.skippedOperations.has('c')) rows.insert(batch, index, plan, orders, entry.ticket);
          return;
        case ChangeKind.update:
          if (!this.#settings.skippedOperations.has('u')) rows.update(batch, index, plan, orders, entry.ticket);
          return;
        default:
          if (!this.#settings.skippedOperations.has('d')) rows.delete(batch, index, plan, orders, entry.ticket);
      }
    } catch (error) {
      if (!(error instanceof PoisonChangeError)) throw error;
      if (this.#settings.onPoison === 'fail') throw this.#located(error, plan.table);
      this.#transaction.takeBack(plan.table, countBefore);
      this.#bury(batch, index, version, error, entry);
    }
  }

  #publishMessage(batch: ChangeBatch<P>, index: number, nowMs: number, entry: InFlightBatch<P>): void {
    const message = batch.details[index] as LogicalMessage;
    const { events, deadLetters } = this.#dependencies;
    const countBefore = this.#transaction.eventCount;
    entry.changes += 1;
    const orders = this.#messageCounter(message);
    if (orders === null && message.transactional) this.#transaction.count();
    try {
      events.message(batch, index, message, orders, nowMs, entry.ticket);
    } catch (error) {
      if (!(error instanceof PoisonChangeError)) throw error;
      if (this.#settings.onPoison === 'fail') throw this.#located(error, MESSAGE_COLLECTION);
      this.#transaction.takeBack(MESSAGE_COLLECTION, countBefore);
      const transaction = message.transactional ? (this.#transaction.current?.id ?? null) : null;
      deadLetters.appendMessage(batch, message, error, transaction, nowMs, entry.ticket);
    }
  }

  #publishTruncate(batch: ChangeBatch<P>, index: number, version: TableVersion, entry: InFlightBatch<P>): void {
    const { plan, refusal } = this.#dependencies.plans.lookUp(version)!;
    entry.changes += 1;
    if (plan === null) {
      this.#bury(batch, index, version, refusal, entry);
      return;
    }
    // In the log of MySQL a truncate is a statement of its own, outside of transactions.
    const orders = this.#settings.transactionMetadata && !this.isAtBoundary ? this.#transaction : null;
    if (orders === null) this.#transaction.count();
    this.#dependencies.rows.truncate(batch, index, plan, orders, entry.ticket);
  }

  #bury(
    batch: ChangeBatch<P>,
    index: number,
    version: TableVersion,
    reason: TailraceError,
    entry: InFlightBatch<P>,
  ): void {
    const nowMs = Math.floor(this.#dependencies.rows.processedAtUs / 1000);
    const transaction = this.#transaction.current?.id ?? null;
    this.#dependencies.deadLetters.appendRow(batch, index, version, reason, transaction, nowMs, entry.ticket);
  }

  #messageCounter(message: LogicalMessage): TransactionCounter | null {
    return this.#settings.transactionMetadata && message.transactional ? this.#transaction : null;
  }

  #located(error: PoisonChangeError, table: string): PoisonChangeError {
    const transaction = this.#transaction.current?.id;
    return new PoisonChangeError(error.message, {
      code: error.code,
      remedy: error.remedy,
      source: this.#settings.name,
      table,
      ...(transaction === undefined ? {} : { position: `transaction ${transaction}` }),
      cause: error,
    });
  }
}
