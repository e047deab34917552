import type { Metrics } from '../core/metrics.ts';
import type { RunRecord } from './run-record.ts';

/** The gauges that show a source's progress. One whose value nobody knows yet is absent rather than 0. */
export class ProgressGauges {
  readonly #inFlight: { set(value: number): void };
  readonly #bindLag: () => { set(value: number): void };
  readonly #bindCheckpointAge: () => { set(value: number): void };
  readonly #bindRetainedWal: () => { set(value: number): void };

  constructor(source: { readonly name: string }, metrics: Metrics) {
    const labels = { source: source.name };
    this.#inFlight = metrics.gauge('tailrace_in_flight_bytes').bind(labels);
    this.#bindLag = () => metrics.gauge('tailrace_lag_seconds').bind(labels);
    this.#bindCheckpointAge = () => metrics.gauge('tailrace_checkpoint_age_seconds').bind(labels);
    this.#bindRetainedWal = () => metrics.gauge('tailrace_postgres_retained_wal_bytes').bind(labels);
  }

  show(record: RunRecord, nowUs: number): void {
    this.#inFlight.set(record.inFlightBytes);
    const lagSeconds = record.lagSeconds(nowUs);
    if (lagSeconds !== null) this.#bindLag().set(lagSeconds);
    const checkpointAge = record.checkpointAgeSeconds(nowUs / 1000);
    if (checkpointAge !== null) this.#bindCheckpointAge().set(checkpointAge);
    // Only Postgres keeps WAL for us: other connectors report null.
    if (record.retainedWalBytes !== null) this.#bindRetainedWal().set(record.retainedWalBytes);
  }
}
