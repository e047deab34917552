import type { SnapshotMemory } from '../core/snapshot-progress.ts';
import { Ticket } from '../core/ticket.ts';

/** One change batch on its way to Kafka. */
export interface InFlightBatch<P> {
  readonly ticket: Ticket;
  /** Resume position of the last transaction boundary in the batch, or null where it holds none. */
  resumeAt: P | null;
  /** Commit times (microseconds) and change counts of the transactions that ended in the batch, in order. */
  readonly commitTimesUs: number[];
  readonly commitChanges: number[];
  changes: number;
  /** How far snapshots are once the batch is acknowledged; null where it says nothing of them. */
  snapshot: SnapshotMemory | null;
  /** Called when a checkpoint holds `snapshot`, or a later one. */
  onSnapshotSaved: (() => void) | null;
}

/**
 * The ordered window of batches in flight. It orders by arrival, never by comparing positions, and moves only over a
 * contiguous settled prefix: a batch that settles early waits for those before it.
 */
export class AckTracker<P> {
  readonly #window: InFlightBatch<P>[] = [];
  #first = 0;
  readonly #advanced: (settled: InFlightBatch<P>) => void;

  /** `advanced` is called in order for each batch that everything before it has settled for. */
  constructor(advanced: (settled: InFlightBatch<P>) => void) {
    this.#advanced = advanced;
  }

  get isEmpty(): boolean {
    return this.#first === this.#window.length;
  }

  /** Opens the window for the next batch in stream order. The caller fills it in, then seals its ticket. */
  open(): InFlightBatch<P> {
    const entry: InFlightBatch<P> = {
      ticket: new Ticket(() => this.#advance()),
      resumeAt: null,
      commitTimesUs: [],
      commitChanges: [],
      changes: 0,
      snapshot: null,
      onSnapshotSaved: null,
    };
    this.#window.push(entry);
    return entry;
  }

  #advance(): void {
    while (this.#first < this.#window.length && this.#window[this.#first]!.ticket.isSettled) {
      const settled = this.#window[this.#first]!;
      this.#first += 1;
      this.#advanced(settled);
    }
    if (this.#first > 64 && this.#first * 2 > this.#window.length) {
      this.#window.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
