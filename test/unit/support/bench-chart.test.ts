import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderCharts } from '../../bench/chart.ts';

test('the charts of a bench have a bar for every run that measured it', () => {
  const charts = renderCharts([
    { what: 'tailrace, none', rows: 1_000_000, seconds: 4, cpuMicrosPerRow: 2.345 },
    { what: 'to nothing', rows: 1_000_000, seconds: 8 },
  ]);
  const [rates, cpu] = charts.split('\n```\n');
  assert.match(
    rates!,
    /title "rows a second"\n {2}x-axis \["tailrace, none", "to nothing"\]\n {2}bar \[250000, 125000\]$/,
  );
  assert.match(cpu!, /title "CPU µs a row"\n {2}x-axis \["tailrace, none"\]\n {2}bar \[2\.35\]\n```$/);
});
