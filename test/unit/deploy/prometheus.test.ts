import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { findPrometheus } from '../../../deploy/local/prometheus.ts';

suite('where there is no Prometheus', () => {
  const kept = { ...process.env };
  let directory = '';
  const find = () => findPrometheus(() => {}, AbortSignal.timeout(10_000));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tailrace-no-prometheus-'));
    mkdirSync(join(directory, 'bin'));
    symlinkSync('/bin/sh', join(directory, 'bin', 'sh'));
    // Neither a Prometheus nor an apt, nor one that was downloaded before.
    Object.assign(process.env, { PATH: join(directory, 'bin'), TAILRACE_CACHE: directory, TEST_PROMETHEUS: '' });
  });
  afterEach(() => {
    for (const name of ['PATH', 'TAILRACE_CACHE', 'TEST_PROMETHEUS']) {
      if (kept[name] === undefined) delete process.env[name];
      else process.env[name] = kept[name];
    }
    rmSync(directory, { recursive: true });
  });

  test('tests fail and say what to do', () =>
    assert.rejects(find(), /no Prometheus on the PATH.*Install Prometheus with promtool, or set TEST_PROMETHEUS/));

  test('a folder that does not have it is not passed over', () => {
    process.env.TEST_PROMETHEUS = directory;
    return assert.rejects(find(), /TEST_PROMETHEUS is .*, and there is no .*prometheus$/);
  });
});
