import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { findPrometheus } from '../../deploy/local/prometheus.ts';
import { reportToStderr } from '../../deploy/local/report.ts';
import { runCommand } from '../../deploy/local/run-command.ts';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { dashboardQueries, readDashboard } from '../support/grafana-dashboard.ts';
import { PrometheusServer } from '../support/prometheus-server.ts';
import { kafkaBrokers } from '../support/services.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

const PATIENCE = { timeoutMs: 60_000, intervalMs: 200 };

it('a real Prometheus takes the metrics of a daemon, and has an answer to every query of the dashboard and the alerts', {
  timeout: 600_000,
}, async () => {
  const programs = await findPrometheus(reportToStderr, AbortSignal.timeout(500_000));
  await using tailed = await tailedDatabase(`
    CREATE TABLE doc (id int PRIMARY KEY, v text);
    INSERT INTO doc SELECT n, 'before' FROM generate_series(1, 50) n`);
  const source = tailed.prefix;
  const topics = [{ match: '.*\\.doc', config: { 'max.message.bytes': '10000' } }, { match: '.*' }];
  await using daemon = await Daemon.create({
    sources: [tailed.source({ snapshot: { mode: 'initial' }, on_poison: 'dead_letter' })],
    config: { kafka: { brokers: kafkaBrokers(), topics } },
  });
  await daemon.start().streaming();
  await using prometheus = await PrometheusServer.start(programs, new URL(await daemon.url()).host);

  await tailed.query("INSERT INTO doc VALUES (1000, 'after')");
  const seen = (expression: string) =>
    awaitUntil(
      `Prometheus has ${expression}`,
      async () => (await prometheus.query(expression)).some(({ value }) => value > 0),
      PATIENCE,
    );
  await seen(`tailrace_changes_total{source="${source}", op="c"}`);
  // What is counted between two scrapes gives rates something to show.
  await tailed.query("INSERT INTO doc SELECT n, 'after' FROM generate_series(1001, 1200) n");
  await tailed.query("INSERT INTO doc VALUES (2000, repeat('x', 20000))");
  await seen(`tailrace_dead_letters_total{source="${source}"}`);

  const [program, ...before] = programs.promtool;
  const exposition = join(daemon.directory, 'metrics.txt');
  await writeFile(exposition, await (await daemon.get('/metrics')).text());
  const command = ['-c', 'exec "$@" < "$0"', exposition, program, ...before, 'check', 'metrics'];
  assert.equal(await runCommand('sh', command, { timeoutMs: 60_000 }), '', 'promtool has nothing to say');

  const variables = { source: '.*', __rate_interval: '1m', __range: '1m' };
  const queries = dashboardQueries(readDashboard(), variables);
  assert.ok(queries.length > 30, `${queries.length} queries`);
  for (const { title, query } of queries) {
    const samples = await awaitUntil(
      `the panel "${title}" showed something for ${query}`,
      async () => {
        const found = await prometheus.query(query);
        return found.length > 0 && found.every(({ value }) => Number.isFinite(value)) ? found : null;
      },
      PATIENCE,
    );
    const sources = new Set(samples.map(({ metric }) => metric.source).filter((name) => name !== undefined));
    assert.ok(sources.size === 0 || sources.has(source), title);
  }
  assert.deepEqual(await prometheus.labelValues('source', 'tailrace_source_state'), [source]);

  const rules = await awaitUntil(
    'every alert was evaluated, and that of dead letters fired',
    async () => {
      const found = await prometheus.alertRules();
      const fires = found.some(({ name, state }) => name === 'TailraceDeadLetters' && state === 'firing');
      return fires && found.every(({ health }) => health !== 'unknown') ? found : null;
    },
    PATIENCE,
  );
  assert.deepEqual(
    rules.filter(({ health }) => health !== 'ok'),
    [],
  );
  assert.deepEqual(
    rules.filter(({ state }) => state !== 'inactive').map(({ name }) => name),
    ['TailraceDeadLetters'],
    'nothing else is wrong with a daemon that streams',
  );
  const [letter] = rules.flatMap(({ alerts }) => alerts);
  assert.equal(letter?.labels.table, 'public.doc');
  assert.equal(letter?.labels.reason, 'RECORD_TOO_LARGE');

  await daemon.kill();
  await awaitUntil(
    'the alert about a daemon that is away waits for its two minutes',
    async () =>
      (await prometheus.alertRules()).some(({ name, state }) => name === 'TailraceDown' && state === 'pending'),
    PATIENCE,
  );
});
