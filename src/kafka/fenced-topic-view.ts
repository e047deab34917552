import type { TextBatch, TextRecord } from './fenced-topic-batches.ts';

/**
 * What the committed records of a log add up to, for keys with one prefix. Batches are given in log order, committed or
 * not; a transaction counts from its commit marker on, so one that is still open or was aborted counts for nothing.
 *
 * The markers in the log decide, not the broker's list of aborted transactions, which covers only what one fetch returned.
 * Compaction keeps the marker of a transaction at least as long as any batch of it.
 */
export class CommittedView {
  readonly records = new Map<string, string>();
  readonly #prefix: string;
  /** Records of open transactions by producer: a producer has one at a time. */
  readonly #open = new Map<bigint, TextRecord[]>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  add(batch: TextBatch): void {
    if (batch.marker !== null) {
      if (batch.marker === 'commit') this.#apply(this.#open.get(batch.producerId) ?? []);
      this.#open.delete(batch.producerId);
      return;
    }
    const records = batch.records.filter(({ key }) => key.startsWith(this.#prefix));
    if (!batch.transactional) {
      this.#apply(records);
      return;
    }
    const open = this.#open.get(batch.producerId);
    if (open === undefined) this.#open.set(batch.producerId, records);
    else open.push(...records);
  }

  #apply(records: readonly TextRecord[]): void {
    for (const { key, value } of records) {
      if (value === null) this.records.delete(key);
      else this.records.set(key, value);
    }
  }
}
