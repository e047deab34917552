import type { TransactionBegin } from '../core/change-batch.ts';
import type { DataCollectionCount, TransactionOrder } from '../core/encoder.ts';

/** Counts the events of the open transaction, in all and by table, for the `transaction` field and the END record. */
export class TransactionCounter {
  #begin: TransactionBegin | null = null;
  #total = 0;
  readonly #byCollection = new Map<string, number>();
  /** Reused: an encoder reads it before the next event. */
  readonly #order = { id: '', totalOrder: 0, dataCollectionOrder: 0 };

  get current(): TransactionBegin | null {
    return this.#begin;
  }

  get eventCount(): number {
    return this.#total;
  }

  begin(transaction: TransactionBegin): void {
    this.#begin = transaction;
    this.#total = 0;
    // Emptying a map makes a new table of it, also of an empty one.
    if (this.#byCollection.size > 0) this.#byCollection.clear();
    this.#order.id = '';
  }

  /** The place of the next event of `dataCollection`. Only inside a transaction. */
  next(dataCollection: string): TransactionOrder {
    this.#total += 1;
    // Only here: a source without transaction metadata never needs the text.
    if (this.#order.id === '') this.#order.id = this.#begin!.id;
    const order = (this.#byCollection.get(dataCollection) ?? 0) + 1;
    this.#byCollection.set(dataCollection, order);
    this.#order.totalOrder = this.#total;
    this.#order.dataCollectionOrder = order;
    return this.#order;
  }

  /** Counts an event of a source without transaction metadata. */
  count(): void {
    this.#total += 1;
  }

  /** Takes back the events of `dataCollection` since `eventCount` was this: they were not published after all. */
  takeBack(dataCollection: string, eventCount: number): void {
    const taken = this.#total - eventCount;
    const order = this.#byCollection.get(dataCollection);
    this.#total = eventCount;
    if (order === undefined || taken === 0) return;
    if (order > taken) this.#byCollection.set(dataCollection, order - taken);
    else this.#byCollection.delete(dataCollection);
  }

  collections(): readonly DataCollectionCount[] {
    return [...this.#byCollection].map(([dataCollection, eventCount]) => ({ dataCollection, eventCount }));
  }

  end(): void {
    this.#begin = null;
  }
}
