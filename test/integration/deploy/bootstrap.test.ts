import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { awaitUntil } from '../../support/await-until.ts';

/** Stands for npm: notes its arguments and installs what a real `npm ci` would, as far as bootstrap.mjs looks. */
const FAKE_NPM = `
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
appendFileSync('npm-calls', process.argv.slice(2).join(' ') + '\\n');
await new Promise((resolve) => setTimeout(resolve, Number(process.env.FAKE_NPM_MS ?? 0)));
if (process.env.FAKE_NPM_EXIT) process.exit(Number(process.env.FAKE_NPM_EXIT));
rmSync('node_modules', { recursive: true, force: true });
mkdirSync('node_modules/.bin', { recursive: true });
symlinkSync(process.env.FAKE_NODE, 'node_modules/.bin/node');
writeFileSync('node_modules/.package-lock.json', '{}');
`;

const SCRIPT = `
const words: string[] = process.argv.slice(2);
console.log(JSON.stringify(words));
if (words[0] === 'exit') process.exit(Number(words[1]));
if (words[0] === 'die') process.kill(process.pid, 'SIGKILL');
if (words[0] === 'wait') {
  let heard = 0;
  const timer = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => {
    if (++heard === 1) setTimeout(() => { clearInterval(timer); console.log('heard ' + heard); process.exitCode = 7; }, 100);
  });
  console.log('ready');
}
`;

suite('bootstrap.mjs', () => {
  let root = '';
  const children: ChildProcess[] = [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tailrace-bootstrap-'));
    mkdirSync(join(root, 'deploy/local'), { recursive: true });
    for (const file of ['bootstrap.mjs', 'merge-signals.mjs']) {
      copyFileSync(join(CHECKOUT, 'deploy/local', file), join(root, 'deploy/local', file));
    }
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(root, 'package-lock.json'), '{ "lockfileVersion": 3 }');
    writeFileSync(join(root, 'npm-cli.js'), FAKE_NPM);
    writeFileSync(join(root, 'script.ts'), SCRIPT);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(root, { recursive: true });
  });

  const start = (args: readonly string[], environment: Record<string, string> = {}) => {
    const env = { ...process.env, npm_execpath: join(root, 'npm-cli.js'), FAKE_NODE: process.execPath, ...environment };
    const child = spawn(process.execPath, [join(root, 'deploy/local/bootstrap.mjs'), 'script.ts', ...args], { env });
    children.push(child);
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      output.stdout += data;
    });
    child.stderr.on('data', (data) => {
      output.stderr += data;
    });
    const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
      child.once('close', (code) => resolve({ code, ...output }));
    });
    return { child, output, ended };
  };
  const npmCalls = () => {
    const path = join(root, 'npm-calls');
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  };

  test('installs on a fresh clone, then runs the script with its arguments; stdout is the script’s alone', async () => {
    const { code, stdout, stderr } = await start(['--json', 'a b']).ended;
    assert.equal(stdout, '["--json","a b"]\n');
    assert.equal(code, 0);
    assert.match(stderr, /installing the dependencies/);
    assert.deepEqual(npmCalls(), ['ci --include=dev --no-audit --no-fund --loglevel=error']);
  });

  test('does not install again, unless package-lock.json changed', async () => {
    await start([]).ended;
    await start([]).ended;
    const future = new Date(Date.now() + 10_000);
    utimesSync(join(root, 'package-lock.json'), future, future);
    await start([]).ended;
    assert.equal(npmCalls().length, 1, 'a touched lock file with the same content is no change');
    writeFileSync(join(root, 'package-lock.json'), '{ "lockfileVersion": 3, "name": "other" }');
    utimesSync(join(root, 'package-lock.json'), future, future);
    await start([]).ended;
    assert.equal(npmCalls().length, 2);
  });

  test('two at once install once', async () => {
    const slow = { FAKE_NPM_MS: '400' };
    const results = await Promise.all([start([], slow).ended, start([], slow).ended]);
    assert.deepEqual(
      results.map((result) => result.code),
      [0, 0],
    );
    assert.equal(npmCalls().length, 1);
    assert.ok(!existsSync(join(root, '.install.lock')));
  });

  test('takes over the lock of an installation that was killed', async () => {
    const gone = spawn(process.execPath, ['--version']);
    await new Promise((resolve) => gone.once('close', resolve));
    writeFileSync(join(root, '.install.lock'), String(gone.pid));
    assert.equal((await start([]).ended).code, 0);
  });

  test('a failed installation is said and runs nothing', async () => {
    const { code, stdout, stderr } = await start([], { FAKE_NPM_EXIT: '9' }).ended;
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /npm ci failed \(exit code 9\)/);
  });

  test('passes the exit code on, and the signal that killed the script', async () => {
    assert.equal((await start(['exit', '3']).ended).code, 3);
    assert.equal((await start(['die']).ended).code, 128 + constants.signals.SIGKILL);
  });

  test('a signal that comes several times within a moment counts once', async () => {
    const { child, output, ended } = start(['wait']);
    await awaitUntil('the script listens', () => output.stdout.includes('ready'));
    child.kill('SIGTERM');
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGTERM'), 20);
    const { code, stdout } = await ended;
    assert.match(stdout, /heard 1\n/);
    assert.equal(code, 7);
  });
});
