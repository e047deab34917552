import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const PASSWORD = 'correct-horse-battery';

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The command as a shell starts it. `closeOutput` closes its standard output at the first byte, as `head` does. */
function tailrace(args: readonly string[], options: { closeOutput?: boolean } = {}): Promise<Result> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, DB_PASSWORD: PASSWORD },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.timeout(60_000),
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => {
    out += bytes;
    if (options.closeOutput) child.stdout.destroy();
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('tailrace as a process', () => {
  let directory = '';
  let good = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tailrace-cli-'));
    good = join(directory, 'good.yaml');
    writeFileSync(
      good,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable.
      `kafka: { brokers: [127.0.0.1:1], sasl: { mechanism: plain, username: u, password: ${'${DB_PASSWORD}'} } }
schema_registry: { url: http://127.0.0.1:1 }
sources:
  - { name: shop, type: postgres, url: "postgres://u:\${DB_PASSWORD}@h/d", snapshot: { mode: no_data } }
`,
    );
  });
  after(() => rmSync(directory, { recursive: true }));

  it('shows what is in force, without secrets', async () => {
    const { code, out, err } = await tailrace(['config', 'show', '-c', good]);
    assert.deepEqual([code, err], [0, '']);
    assert.equal(parse(out).sources[0].url, '[secret]');
    assert.ok(!out.includes(PASSWORD));
  });

  it('names every problem on standard error and ends with 2', async () => {
    const bad = join(directory, 'bad.yaml');
    writeFileSync(bad, 'kafka: { broker: a }\nsources: []\n');
    const { code, out, err } = await tailrace(['run', '-c', bad]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /^error: bad\.yaml has 4 problems:\n/);
    assert.match(err, /bad\.yaml:1: kafka\.broker: is not a setting\. Did you mean brokers\?/);
    assert.doesNotMatch(err, /\n {4}at /);
  });

  it('ends with 2 after a wrong command line', async () => {
    const { code, out, err } = await tailrace(['config', 'shw']);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, /Did you mean show\?/);
  });

  it('writes all of a long answer into a pipe', async () => {
    const { code, out } = await tailrace(['config', 'schema']);
    assert.equal(code, 0);
    assert.equal(typeof JSON.parse(out), 'object');
  });

  it('ends without a word when nobody reads on', async () => {
    const { code, err } = await tailrace(['config', 'schema'], { closeOutput: true });
    assert.deepEqual([code, err], [0, '']);
  });

  it('knows its version', async () => {
    const { code, out } = await tailrace(['--version']);
    assert.equal(code, 0);
    assert.match(out, /^\d+\.\d+\.\d+/);
  });
});
