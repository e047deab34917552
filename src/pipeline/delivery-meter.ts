import type { Clock } from '../core/clock.ts';
import type { Metrics } from '../core/metrics.ts';
import type { InFlightBatch } from './ack-tracker.ts';

/** Measures what has been acknowledged: how many changes, how old the newest commit is, how long commits took. */
export class DeliveryMeter {
  readonly #clock: Clock;
  readonly #delivery: { observe(value: number, count: number): void };
  #changes = 0;
  #publishedCommitUs: number | null = null;

  constructor(source: string, metrics: Metrics, clock: Clock) {
    this.#clock = clock;
    this.#delivery = metrics.histogram('tailrace_delivery_seconds').bind({ source });
  }

  get changes(): number {
    return this.#changes;
  }

  /** Commit time of the newest acknowledged transaction, microseconds since 1970. */
  get publishedCommitUs(): number | null {
    return this.#publishedCommitUs;
  }

  settled(batch: InFlightBatch<unknown>): void {
    this.#changes += batch.changes;
    const { commitTimesUs, commitChanges } = batch;
    if (commitTimesUs.length === 0) return;
    const nowUs = this.#clock.nowUs();
    for (let i = 0; i < commitTimesUs.length; i += 1) {
      const seconds = (nowUs - commitTimesUs[i]!) / 1e6;
      if (commitChanges[i]! > 0) this.#delivery.observe(Math.max(seconds, 0), commitChanges[i]!);
    }
    this.#publishedCommitUs = commitTimesUs[commitTimesUs.length - 1]!;
  }
}
