import type { RecordBatch } from './record-batch.ts';

const MIN_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1_000;
/** Sequence numbers are int32 and go on at 0 after 2^31 - 1. */
const SEQUENCE_MASK = 0x7fffffff;

/** Bytes of the batches that are complete and not sent, of all partitions of a sink together. */
export interface Waiting {
  bytes: number;
}

/**
 * The batches of one partition from sealed to acknowledged. Several may be in flight at once. When one fails in a way that
 * may pass, nothing more is sent until the others in flight are answered too; then all that failed are queued again in
 * their order and sent one at a time, until the last of them is acknowledged. So the log of the partition has every batch
 * once and in order, whatever the broker and the network do.
 *
 * The first batch goes alone too: a broker that knows nothing of a producer takes any sequence number. Were the first
 * refused (a new partition has no leader yet) and the second taken, the second would lie before the first.
 */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** `topic/partition`: how an answer is matched. */
  readonly key: string;
  /** -1 while unknown. */
  leaderId = -1;
  leaderEpoch = -1;
  /** Code of the newest answer that was not a success, for the message of a delivery timeout; 0: none. */
  lastErrorCode = 0;
  readonly #waiting: Waiting;
  readonly #queued: RecordBatch[] = [];
  readonly #inFlight: RecordBatch[] = [];
  readonly #returned: RecordBatch[] = [];
  #inFlightTo = -1;
  /** Index of the newest batch that is in the log. */
  #acknowledgedTo = -1;
  /** The broker has taken a batch, and holds the next ones against its sequence. */
  #isKnown = false;
  #nextSequence: number;
  #recoverUpTo: RecordBatch | null = null;
  #retryAtMs = 0;
  /** When a failure came that asks for a pause. */
  #pauseFromMs: number | null = null;
  #failures = 0;

  /** `firstSequence` is 0 for a new producer identity; tests begin elsewhere. */
  constructor(topic: string, partition: number, waiting: Waiting = { bytes: 0 }, firstSequence = 0) {
    this.topic = topic;
    this.partition = partition;
    this.key = `${topic}/${partition}`;
    this.#waiting = waiting;
    this.#nextSequence = firstSequence;
  }

  /** Nothing is queued or in flight. */
  get isEmpty(): boolean {
    return this.#queued.length === 0 && this.#inFlight.length === 0 && this.#returned.length === 0;
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  /** True where another broker leads since the batches in flight were sent, or the last ones were. */
  get hasMoved(): boolean {
    return this.leaderId >= 0 && this.#inFlightTo !== this.leaderId;
  }

  /** True while failed batches are sent again: new ones would only wait. */
  get isRecovering(): boolean {
    return this.#recoverUpTo !== null || this.#returned.length > 0;
  }

  /** Monotonic time before which nothing is sent. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** The oldest batch that is not acknowledged. */
  get oldest(): RecordBatch | null {
    let oldest: RecordBatch | null = null;
    for (const batch of [this.#returned[0], this.#inFlight[0], this.#queued[0]]) {
      if (batch !== undefined && (oldest === null || batch.index < oldest.index)) oldest = batch;
    }
    return oldest;
  }

  /** Takes the next `count` sequence numbers and returns the first. */
  takeSequence(count: number): number {
    const first = this.#nextSequence;
    this.#nextSequence = (first + count) & SEQUENCE_MASK;
    return first;
  }

  enqueue(batch: RecordBatch): void {
    this.#queued.push(batch);
    this.#waiting.bytes += batch.accountedBytes;
  }

  /** The batch that may be sent to the leader now, without taking it. */
  peekSendable(nowMs: number): RecordBatch | null {
    const next = this.#queued[0];
    if (next === undefined || next.wire === null) return null;
    if (this.#returned.length > 0 || nowMs < this.#retryAtMs) return null;
    if (this.#inFlight.length > 0 && (!this.#isKnown || this.#recoverUpTo !== null || this.hasMoved)) return null;
    return next;
  }

  /** Marks the batch of `peekSendable` as in flight. */
  sent(): void {
    const batch = this.#queued.shift()!;
    this.#waiting.bytes -= batch.accountedBytes;
    this.#inFlight.push(batch);
    this.#inFlightTo = this.leaderId;
  }

  /** Whether no later batch is known to be in the log: one that was sent again may have been there before those behind it. */
  isNewest({ index }: RecordBatch): boolean {
    return index > this.#acknowledgedTo;
  }

  /** The batch is in the log. */
  acknowledged(batch: RecordBatch): void {
    this.#leaveFlight(batch);
    this.#isKnown = true;
    this.#acknowledgedTo = Math.max(this.#acknowledgedTo, batch.index);
    this.#failures = 0;
    this.lastErrorCode = 0;
    if (this.#recoverUpTo === batch) this.#recoverUpTo = null;
    this.#requeueReturned();
  }

  /** The batch may be sent again as it is. `immediately` where it is known that another broker leads by now. */
  failed(batch: RecordBatch, code: number, nowMs: number, immediately: boolean): void {
    this.lastErrorCode = code;
    this.#leaveFlight(batch);
    this.#returned.push(batch);
    if (!immediately) this.#pauseFromMs = nowMs;
    this.#requeueReturned();
  }

  /**
   * Whether an OUT_OF_ORDER_SEQUENCE_NUMBER for `batch` only says that an earlier batch, which will be sent again, is
   * missing. Otherwise the broker has lost something that it acknowledged.
   */
  isBehindUnresolved(batch: RecordBatch): boolean {
    return [...this.#returned, ...this.#inFlight].some(({ index }) => index < batch.index);
  }

  /** Empties the queue and gives all its batches. */
  drain(): RecordBatch[] {
    this.#recoverUpTo = null;
    for (const { accountedBytes } of this.#queued) this.#waiting.bytes -= accountedBytes;
    return [...this.#returned.splice(0), ...this.#inFlight.splice(0), ...this.#queued.splice(0)];
  }

  #leaveFlight(batch: RecordBatch): void {
    const at = this.#inFlight.indexOf(batch);
    if (at >= 0) this.#inFlight.splice(at, 1);
  }

  /** Once nothing is in flight: one pause for all batches that failed together. */
  #requeueReturned(): void {
    if (this.#inFlight.length > 0 || this.#returned.length === 0) return;
    const again = this.#returned.splice(0).sort((a, b) => a.index - b.index);
    const last = again.at(-1)!;
    if (this.#recoverUpTo === null || this.#recoverUpTo.index < last.index) this.#recoverUpTo = last;
    this.#queued.unshift(...again);
    for (const { accountedBytes } of again) this.#waiting.bytes += accountedBytes;
    if (this.#pauseFromMs === null) return;
    const bound = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(this.#failures++, 10));
    this.#retryAtMs = this.#pauseFromMs + bound * (0.5 + Math.random() / 2);
    this.#pauseFromMs = null;
  }
}
