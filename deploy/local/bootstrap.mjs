// First step of every npm script, on any Node >= 18 and before anything is installed:
//   node deploy/local/bootstrap.mjs <script.ts> [arguments]
// installs the dependencies when they are missing or older than package-lock.json, then runs the script on Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR = 24;
const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
const stamp = join(modules, '.tailrace-lockfile-sha256');
const lock = join(root, '.install.lock');

/** Everything goes to stderr: stdout belongs to the script (`--json`). */
const say = (text) => process.stderr.write(`tailrace: ${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};
const mtimeMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const lockfileHash = () =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

function isInstalled() {
  const installedAt = mtimeMs(join(modules, '.package-lock.json'));
  if (installedAt === 0) return false;
  if (mtimeMs(join(root, 'package-lock.json')) <= installedAt) return true;
  // git touches files it rewrites with the same content; then the stamp still fits.
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === lockfileHash();
}

/** The npm that runs us, on the Node that runs us; otherwise the one on the PATH. */
function npm(args, label) {
  const cli = process.env.npm_execpath;
  const [command, prefix] = cli?.endsWith('npm-cli.js') ? [process.execPath, [cli]] : ['npm', []];
  return new Promise((resolve) => {
    const startedAt = Date.now();
    const beat = setInterval(() => say(`${label} … ${Math.round((Date.now() - startedAt) / 1000)} s`), 5000);
    const child = spawn(command, [...prefix, ...args], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, NODE_ENV: 'development' },
      shell: process.platform === 'win32' && command === 'npm',
    });
    const stopListening = passSignals(child);
    const done = (outcome) => {
      clearInterval(beat);
      stopListening();
      resolve({ ...outcome, seconds: (Date.now() - startedAt) / 1000 });
    };
    child.once('error', (error) => done({ code: 1, signal: null, error }));
    child.once('close', (code, signal) => done({ code, signal }));
  });
}

/** Node 24 as the package `node` put it there, or null when its install script did not run. */
function installedNode() {
  const path = join(modules, '.bin', 'node');
  return existsSync(path) && majorOf(path) >= NODE_MAJOR ? path : null;
}

function majorOf(path) {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number(/^v(\d+)\./.exec(stdout)?.[1] ?? 0) : 0;
}

/** npm may refuse to run install scripts; the binary itself is in a package of the platform, so we put it in place. */
async function repairNode() {
  const require = createRequire(join(modules, 'node', 'package.json'));
  const { version } = JSON.parse(readFileSync(join(modules, 'node', 'package.json'), 'utf8'));
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node';
  const name = `${prefix}-${process.platform}-${process.arch}`;
  say(`npm did not run the install script of the package node: installing ${name}@${version}`);
  const { code } = await npm(
    [
      'install',
      '--prefix',
      join(modules, 'node'),
      '--no-save',
      '--no-package-lock',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      `${name}@${version}`,
    ],
    `installing ${name}`,
  );
  if (code !== 0) return null;
  const manifest = require.resolve(`${name}/package.json`);
  const binary = join(dirname(manifest), JSON.parse(readFileSync(manifest, 'utf8')).bin.node);
  const wanted = join(modules, 'node', 'bin', 'node');
  const draft = `${wanted}.${process.pid}`;
  linkSync(binary, draft);
  renameSync(draft, wanted);
  return installedNode() ?? (majorOf(binary) >= NODE_MAJOR ? binary : null);
}

async function install() {
  const release = await takeLock();
  try {
    if (!isInstalled()) {
      say('installing the dependencies (npm ci), about 100 MB the first time');
      const { code, signal, seconds, error } = await npm(
        ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
        'npm ci',
      );
      if (code !== 0)
        fail(`npm ci failed (${error?.message ?? signal ?? `exit code ${code}`}); what npm said is above`);
      writeFileSync(stamp, lockfileHash());
      say(`dependencies installed in ${seconds.toFixed(1)} s`);
    }
    const current = Number(process.versions.node.split('.')[0]);
    const node = installedNode() ?? (current >= NODE_MAJOR ? process.execPath : await repairNode());
    if (node === null) {
      fail(
        `this needs Node ${NODE_MAJOR} and could not install it for ${process.platform}-${process.arch}. ` +
          `Run the command again with Node ${NODE_MAJOR} on the PATH (https://nodejs.org), ` +
          'or allow the install script: npm approve-scripts node && npm ci',
      );
    }
    return node;
  } finally {
    release();
  }
}

/** One installation at a time in a checkout. A lock whose process is gone is taken over. */
async function takeLock() {
  const deadline = Date.now() + 15 * 60_000;
  for (let told = false; ; ) {
    try {
      const fd = openSync(lock, 'wx');
      writeFileSync(fd, String(process.pid));
      closeSync(fd);
      const release = () => rmSync(lock, { force: true });
      process.once('exit', release);
      return release;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale()) {
      const aside = `${lock}.${process.pid}`;
      try {
        renameSync(lock, aside);
        rmSync(aside, { force: true });
      } catch (error) {
        if (error.code !== 'ENOENT') throw error;
      }
      continue;
    }
    if (Date.now() > deadline)
      fail(`another installation holds ${lock} for 15 minutes; remove the file if there is none`);
    if (!told) say('another command is installing the dependencies, waiting for it');
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function isStale() {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    // An empty file was created this instant, or its writer died before writing.
    if (pid === 0) return Date.now() - mtimeMs(lock) > 10_000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/** Hands our signals on to the child; returns how to stop doing so. */
function passSignals(child) {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  const pass = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, pass);
  return () => {
    for (const signal of signals) process.off(signal, pass);
  };
}

const [script, ...args] = process.argv.slice(2);
if (script === undefined) fail('usage: node deploy/local/bootstrap.mjs <script.ts> [arguments]');
if (!existsSync(join(root, script))) fail(`${script} does not exist in this checkout`);
const ready = isInstalled() ? installedNode() : null;
const node = ready ?? (await install());
const child = spawn(
  node,
  ['--import', new URL('merge-signals.mjs', import.meta.url).href, join(root, script), ...args],
  { stdio: 'inherit' },
);
passSignals(child);
child.once('error', (error) => fail(`could not start ${node}: ${error.message}`));
child.once('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
