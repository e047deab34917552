import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FatalError } from '../../../src/core/errors.ts';
import type { MetricDefinition } from '../../../src/observability/metric-catalogue.ts';
import { PrometheusMetrics } from '../../../src/observability/prometheus-metrics.ts';
import { parseExposition } from '../../support/exposition.ts';

const catalogue: Readonly<Record<string, MetricDefinition>> = {
  test_events_total: {
    type: 'counter',
    unit: 'none',
    labels: ['source', 'kind'],
    values: { kind: ['a', 'b'] },
    help: 'Events.',
  },
  test_free_total: { type: 'counter', unit: 'none', labels: ['source', 'table'], help: 'By table.' },
  test_level: { type: 'gauge', unit: 'none', labels: ['source'], help: 'Level.' },
  test_seconds: { type: 'histogram', unit: 'seconds', labels: ['source'], buckets: [0.1, 1], help: 'Durations.' },
};

function subject(): PrometheusMetrics {
  return new PrometheusMetrics({ sources: ['shop'], processMetrics: false, catalogue });
}

async function render(metrics: PrometheusMetrics) {
  return parseExposition((await metrics.render()).body);
}

test('series with known labels start at 0, others appear when bound', async () => {
  const metrics = subject();
  const before = await render(metrics);
  assert.equal(before.value('test_events_total', { source: 'shop', kind: 'a' }), 0);
  assert.equal(before.value('test_events_total', { source: 'shop', kind: 'b' }), 0);
  assert.equal(before.value('test_seconds_count', { source: 'shop' }), 0);
  assert.equal(before.value('test_level', { source: 'shop' }), undefined);
  assert.equal(before.value('test_free_total', { source: 'shop', table: 'public.t' }), undefined);
  metrics.counter('test_free_total').bind({ source: 'shop', table: 'public.t' });
  assert.equal((await render(metrics)).value('test_free_total', { source: 'shop', table: 'public.t' }), 0);
});

test('binding the same labels again continues the same counter', async () => {
  const metrics = subject();
  metrics.counter('test_events_total').bind({ source: 'shop', kind: 'a' }).add(2);
  metrics.counter('test_events_total').bind({ kind: 'a', source: 'shop' }).add(3);
  assert.equal((await render(metrics)).value('test_events_total', { source: 'shop', kind: 'a' }), 5);
});

test('a counter never shrinks and survives NaN', async () => {
  const metrics = subject();
  const counter = metrics.counter('test_events_total').bind({ source: 'shop', kind: 'a' });
  counter.add(4);
  counter.add(-3);
  counter.add(Number.NaN);
  assert.equal((await render(metrics)).value('test_events_total', { source: 'shop', kind: 'a' }), 4);
});

test('a histogram takes many observations of one value at once and is cumulative', async () => {
  const metrics = subject();
  const histogram = metrics.histogram('test_seconds').bind({ source: 'shop' });
  histogram.observe(0.05, 10);
  histogram.observe(0.1, 1);
  histogram.observe(0.5, 4);
  histogram.observe(7, 2);
  histogram.observe(Number.NaN, 5);
  histogram.observe(1, 0);
  const result = await render(metrics);
  assert.equal(result.value('test_seconds_bucket', { source: 'shop', le: '0.1' }), 11);
  assert.equal(result.value('test_seconds_bucket', { source: 'shop', le: '1' }), 15);
  assert.equal(result.value('test_seconds_bucket', { source: 'shop', le: '+Inf' }), 17);
  assert.equal(result.value('test_seconds_count', { source: 'shop' }), 17);
  assert.ok(Math.abs(result.value('test_seconds_sum', { source: 'shop' })! - 16.6) < 1e-9);
});

test('unknown names, wrong types and wrong labels are refused', () => {
  const metrics = subject();
  assert.throws(() => metrics.counter('tailrace_nonsense_total'), FatalError);
  assert.throws(() => metrics.gauge('test_events_total'), FatalError);
  assert.throws(() => metrics.counter('toString'), FatalError);
  assert.throws(() => metrics.counter('test_events_total').bind({ source: 'shop' }), FatalError);
  assert.throws(() => metrics.gauge('test_level').bind({ source: 'shop', key: '17' }), FatalError);
});

test('label values are escaped', async () => {
  const metrics = subject();
  const table = 'public."quo\\te"\nnewline';
  metrics.counter('test_free_total').bind({ source: 'shop', table }).add(1);
  assert.equal((await render(metrics)).value('test_free_total', { source: 'shop', table }), 1);
});

test('refreshers run before each collection', async () => {
  const metrics = subject();
  const gauge = metrics.gauge('test_level').bind({ source: 'shop' });
  let level = 0;
  metrics.onCollect(() => {
    level += 1;
    gauge.set(level);
  });
  assert.equal((await render(metrics)).value('test_level', { source: 'shop' }), 1);
  assert.equal((await render(metrics)).value('test_level', { source: 'shop' }), 2);
});

test('the real catalogue renders with the process metrics and every state of a source', async () => {
  const metrics = new PrometheusMetrics({ sources: ['shop'], version: '1.2.3' });
  const result = await render(metrics);
  assert.equal(result.value('tailrace_source_state', { source: 'shop', state: 'resync-required' }), 0);
  assert.equal(result.value('tailrace_errors_total', { source: 'shop', class: 'unclassified' }), 0);
  assert.equal(result.value('tailrace_restarts_total', { source: 'shop' }), 0);
  assert.equal(result.value('tailrace_registry_requests_total', { outcome: 'unreachable' }), 0);
  assert.equal(result.value('tailrace_build_info', { version: '1.2.3' }), 1);
  assert.ok(result.value('process_resident_memory_bytes', {})! > 0);
});

test('only counters of the process have names that end in _total', async () => {
  const metrics = new PrometheusMetrics({ catalogue: {} });
  const { types } = await render(metrics);
  assert.ok(types.has('nodejs_active_handles'));
  const totals = [...types].filter(([name]) => name.endsWith('_total'));
  assert.deepEqual([...new Set(totals.map(([, type]) => type))], ['counter']);
});
