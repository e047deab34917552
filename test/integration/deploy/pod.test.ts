import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { awaitUntil } from '../../support/await-until.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests, whose form Kubernetes says
type Manifest = any;

const read = (name: string): Manifest => parse(readFileSync(join(CHECKOUT, 'deploy', 'kubernetes', name), 'utf8'));
const [container] = read('deployment.yaml').spec.template.spec.containers;
const configuration: string = read('configmap.yaml').data['tailrace.yaml'];

test('a daemon with the configuration of the ConfigMap is alive and not ready while nothing can be reached', {
  timeout: 240_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tailrace-pod-'));
  const secrets = join(directory, 'secrets');
  mkdirSync(secrets);
  const mounted = container.volumeMounts.find(({ name }: Manifest) => name === 'secrets').mountPath;
  const named = [...configuration.matchAll(/\$\{file:([^}]+)\}/g)].map(([, path]) => path!);
  assert.ok(named.length > 0);
  for (const path of named) {
    assert.ok(path.startsWith(`${mounted}/`), path);
    writeFileSync(path.replace(mounted, secrets), path.endsWith('_sha256') ? 'ab'.repeat(32) : 'secret');
  }
  const path = join(directory, 'tailrace.yaml');
  writeFileSync(path, configuration.replaceAll(mounted, secrets).replace('port: 8080', 'port: 0'));
  const main = join(CHECKOUT, 'src', 'cli', 'main.ts');
  const args = container.args.map((each: string) => (each.endsWith('/tailrace.yaml') ? path : each));
  const daemon = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  try {
    const looks = { timeoutMs: 90_000 };
    const port = await awaitUntil('the daemon listens', () => /"url":"http:\/\/[^"]+:(\d+)"/.exec(log)?.[1], looks);
    const statusOf = async (probe: Manifest) => {
      const url = `http://127.0.0.1:${port}${probe.httpGet.path}`;
      const response = await fetch(url, { signal: AbortSignal.timeout(probe.timeoutSeconds * 1000 || 1_000) });
      await response.body?.cancel();
      return response.status;
    };
    assert.equal(await statusOf(container.startupProbe), 200);
    assert.equal(await statusOf(container.livenessProbe), 200);
    assert.equal(await statusOf(container.readinessProbe), 503);
  } finally {
    daemon.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  }
});
