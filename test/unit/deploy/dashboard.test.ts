import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_CATALOGUE } from '../../../src/observability/metric-catalogue.ts';
import { dashboardQueries, type Panel, readDashboard } from '../../support/grafana-dashboard.ts';

const dashboard = readDashboard();
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana
const CHOSEN_SOURCE = '${datasource}';
const VARIABLES = { source: '.*', __rate_interval: '1m', __range: '1h' };

test('the dashboard shows every metric of the catalogue but those that count states', () => {
  const text = dashboardQueries(dashboard, VARIABLES)
    .map(({ query }) => query)
    .join('\n');
  const asked = new Set([...text.matchAll(/\btailrace_[a-z0-9_]+/g)].map(([name]) => name));
  const families = new Set([...asked].map((name) => name.replace(/_(bucket|sum|count)$/, '')));
  const known = Object.keys(METRIC_CATALOGUE).filter((name) => name !== 'tailrace_source_transitions_total');
  assert.deepEqual([...families].sort(), known.sort());
});

test('panels have numbers, titles and explanations, lie beside each other, and take their data from the chosen source', () => {
  const { panels, templating } = dashboard;
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const panel of panels) {
    const { gridPos, title, type, targets = [], description = '' } = panel;
    assert.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= 24, title);
    assert.deepEqual(
      panels.filter((other) => other !== panel && overlap(panel, other)).map(({ title }) => title),
      [],
    );
    if (type === 'row') continue;
    assert.ok(description.length > 8, `${title} is explained`);
    assert.ok(targets.length > 0, title);
    for (const { datasource } of targets) assert.equal(datasource.uid, CHOSEN_SOURCE, title);
  }
  assert.deepEqual(
    templating.list.map(({ name, type }) => `${name}: ${type}`),
    ['datasource: datasource', 'source: query'],
  );
  assert.equal(templating.list[1]?.definition, 'label_values(tailrace_source_state, source)');
});

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}
