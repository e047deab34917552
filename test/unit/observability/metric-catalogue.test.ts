import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_CATALOGUE, type MetricDefinition } from '../../../src/observability/metric-catalogue.ts';

/** What dashboards and alerts rely on. A change here is a breaking change for users and needs a change note. */
const PINNED = `
counter tailrace_changes_total{source,table,op}
counter tailrace_dead_letters_total{source,table,reason}
counter tailrace_errors_total{source,class}
counter tailrace_published_bytes_total{source}
counter tailrace_registry_requests_total{outcome}
counter tailrace_restarts_total{source}
counter tailrace_snapshot_rows_total{source,table}
counter tailrace_source_transitions_total{source,state}
gauge tailrace_build_info{version}
gauge tailrace_checkpoint_age_seconds{source}
gauge tailrace_in_flight_bytes{source}
gauge tailrace_lag_seconds{source}
gauge tailrace_postgres_retained_wal_bytes{source}
gauge tailrace_snapshot_running{source}
gauge tailrace_source_circuit_open{source}
gauge tailrace_source_state{source,state}
gauge tailrace_source_waiting{source}
histogram tailrace_delivery_seconds{source}
histogram tailrace_kafka_request_seconds{}
`;

const definitions: readonly (readonly [string, MetricDefinition])[] = Object.entries(METRIC_CATALOGUE);

test('names, types and labels are those that users rely on', () => {
  const lines = definitions.map(([name, { type, labels }]) => `${type} ${name}{${labels.join(',')}}`);
  assert.deepEqual(lines.sort(), PINNED.trim().split('\n'));
});

test('names end in their unit and counters in _total', () => {
  for (const [name, { type, unit, help, buckets }] of definitions) {
    assert.equal(name.endsWith('_total'), type === 'counter', name);
    if (unit === 'seconds' || unit === 'bytes') assert.match(name, new RegExp(`_${unit}(_total)?$`));
    assert.ok(help.endsWith('.'), name);
    assert.equal(buckets !== undefined, type === 'histogram', name);
    assert.deepEqual(
      buckets,
      buckets?.toSorted((a, b) => a - b),
      name,
    );
  }
});

test('closed label values belong to labels of the metric', () => {
  for (const [name, { labels, values }] of definitions) {
    for (const label of Object.keys(values ?? {})) assert.ok(labels.includes(label), `${name} ${label}`);
  }
});
