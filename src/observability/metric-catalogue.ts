import { ERROR_CLASSES } from '../core/errors.ts';
import { SOURCE_STATES } from '../core/source-status.ts';

/** What a metric is. Units are Prometheus' base units. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly unit: 'seconds' | 'bytes' | 'rows' | 'none';
  readonly labels: readonly string[];
  readonly help: string;
  /** Labels whose values are known beforehand: their series exist, at 0, from the start. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  /** Upper bounds of a histogram, ascending, without +Inf. */
  readonly buckets?: readonly number[];
}

const DELIVERY_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const REQUEST_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Every metric of the daemon besides prom-client's process metrics. Dashboards and alerts rely on names, types and
 * labels: add freely, rename never (a test pins them).
 */
export const METRIC_CATALOGUE = {
  tailrace_build_info: {
    type: 'gauge',
    unit: 'none',
    labels: ['version'],
    help: 'Always 1; the label says which version runs.',
  },
  tailrace_source_state: {
    type: 'gauge',
    unit: 'none',
    labels: ['source', 'state'],
    values: { state: SOURCE_STATES },
    help: '1 for the state that the source is in, 0 for the others.',
  },
  tailrace_source_transitions_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source', 'state'],
    values: { state: SOURCE_STATES },
    help: 'How often the source entered the state.',
  },
  tailrace_source_circuit_open: {
    type: 'gauge',
    unit: 'none',
    labels: ['source'],
    help: '1 while repeated failures make the source wait minutes between attempts.',
  },
  tailrace_source_waiting: {
    type: 'gauge',
    unit: 'none',
    labels: ['source'],
    help: '1 while the source stands still until the schema registry answers.',
  },
  tailrace_changes_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source', 'table', 'op'],
    help: 'Changes handed to the Kafka sender, by Debezium operation code.',
  },
  tailrace_published_bytes_total: {
    type: 'counter',
    unit: 'bytes',
    labels: ['source'],
    help: 'Bytes of keys and values acknowledged by Kafka, before compression.',
  },
  tailrace_lag_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: ['source'],
    help: 'Age of the newest published commit; 0 when caught up.',
  },
  tailrace_delivery_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['source'],
    buckets: DELIVERY_BUCKETS,
    help: 'From the commit on the source to the acknowledgement by Kafka.',
  },
  tailrace_checkpoint_age_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: ['source'],
    help: 'Time since the checkpoint was last saved or confirmed as current; grows while nothing runs.',
  },
  tailrace_in_flight_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: ['source'],
    help: 'Bytes handed to the Kafka sender and not yet acknowledged.',
  },
  tailrace_snapshot_rows_total: {
    type: 'counter',
    unit: 'rows',
    labels: ['source', 'table'],
    help: 'Rows published by snapshots.',
  },
  tailrace_snapshot_running: {
    type: 'gauge',
    unit: 'none',
    labels: ['source'],
    help: '1 while a snapshot runs.',
  },
  tailrace_postgres_retained_wal_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: ['source'],
    help: 'WAL that the server keeps because of the slot.',
  },
  tailrace_dead_letters_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source', 'table', 'reason'],
    help: 'Changes that could not be published and went to the dead letter topic.',
  },
  tailrace_errors_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source', 'class'],
    values: { class: [...ERROR_CLASSES, 'unclassified'] },
    help: 'Errors that ended an attempt to run the source, by what the supervisor does about them.',
  },
  tailrace_restarts_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source'],
    help: 'Attempts to run the source after the first.',
  },
  tailrace_registry_requests_total: {
    type: 'counter',
    unit: 'none',
    labels: ['outcome'],
    values: { outcome: ['ok', 'not_found', 'refused', 'unreachable'] },
    help: 'Requests to the schema registry.',
  },
  tailrace_kafka_request_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: [],
    buckets: REQUEST_BUCKETS,
    help: 'From sending a produce request to its answer.',
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRIC_CATALOGUE;
