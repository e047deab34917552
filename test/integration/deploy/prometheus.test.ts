import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { parse } from 'yaml';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { findPrometheus } from '../../../deploy/local/prometheus.ts';
import { reportToStderr } from '../../../deploy/local/report.ts';
import { runCommand } from '../../../deploy/local/run-command.ts';
import { METRIC_CATALOGUE } from '../../../src/observability/metric-catalogue.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>;
}

interface AlertTest {
  readonly alertname: string;
  readonly exp_alerts: readonly unknown[];
}

const FOLDER = join(CHECKOUT, 'deploy', 'prometheus');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');
const rules: Rule[] = parse(read('alerts.yaml')).groups.flatMap((group: { rules: Rule[] }) => group.rules);
const tests: AlertTest[] = parse(read('alerts.test.yaml')).tests.flatMap(
  (each: { alert_rule_test: AlertTest[] }) => each.alert_rule_test,
);

/** As docs/deployment.md says to check them. */
const commands = [
  ...readFileSync(join(CHECKOUT, 'docs', 'deployment.md'), 'utf8').matchAll(/^promtool (\w+) (\w+) (\S+)$/gm),
].map(([, ...words]) => words);

suite('what deploy/prometheus has', () => {
  let promtool: readonly [string, ...string[]];
  const run = (...args: string[]) => {
    const [program, ...before] = promtool;
    return runCommand(program, [...before, ...args], { cwd: CHECKOUT, timeoutMs: 60_000 });
  };
  before(
    async () => {
      ({ promtool } = await findPrometheus(reportToStderr, AbortSignal.timeout(600_000)));
    },
    { timeout: 600_000 },
  );

  for (const [verb, what, file] of commands) {
    test(`passes promtool ${verb} ${what}, without a complaint`, async () => {
      const strict = verb === 'check' ? ['--lint=all', '--lint-fatal'] : [];
      assert.match(await run(verb!, what!, ...strict, file!), /SUCCESS/);
    });
  }

  test('is checked as a configuration, as rules and by unit tests', () => {
    const files = ['config prometheus.yaml', 'rules alerts.yaml', 'rules alerts.test.yaml'];
    assert.deepEqual(
      commands.map(([, what, file]) => `${what} ${file!.slice('deploy/prometheus/'.length)}`),
      files,
    );
  });
});

test('each alert has tests of when it fires and of when it does not', () => {
  for (const { alert } of rules) {
    const own = tests.filter(({ alertname }) => alertname === alert);
    assert.ok(
      own.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} fires in a test`,
    );
    const silent = own.some(({ exp_alerts }) => exp_alerts.length === 0);
    // Where one test has series that must fire and others that must not, it says both.
    const beside = ['TailraceProcessRestarting', 'TailraceSourceRestarting'].includes(alert);
    assert.ok(silent || beside, `${alert} is silent in a test`);
  }
});

test('alerts are about metrics that exist', () => {
  const process = ['up', 'process_start_time_seconds'];
  for (const { alert, expr } of rules) {
    const names = [...expr.matchAll(/\b(tailrace_[a-z0-9_]+|up|process_[a-z_]+)\b/g)].map(([name]) => name);
    assert.ok(names.length > 0, alert);
    for (const name of names) {
      const known = process.includes(name) || name.replace(/_(bucket|sum|count)$/, '') in METRIC_CATALOGUE;
      assert.ok(known, `${alert} asks for ${name}`);
    }
  }
});

test('each alert is a section of the runbook, and no other section is', () => {
  const runbook = readFileSync(join(CHECKOUT, 'docs', 'operations.md'), 'utf8');
  const headings = [...runbook.matchAll(/^### (Tailrace\w+)$/gm)].map(([, name]) => name!);
  assert.deepEqual(
    headings,
    rules.map(({ alert }) => alert),
  );
  for (const { alert, annotations, labels } of rules) {
    assert.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`);
    assert.ok(annotations.summary.length > 10 && annotations.description.length > 20, alert);
    assert.match(labels.severity, /^(warning|critical)$/);
  }
});
