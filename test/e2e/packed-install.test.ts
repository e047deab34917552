import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../deploy/local/checkout.ts';
import { awaitUntil } from '../support/await-until.ts';

const run = promisify(execFile);

/** What `npm install tailrace` gives: the packed package, in an empty directory, without this checkout's node_modules. */
suite('the packed package', () => {
  let work = '';
  let files: string[] = [];
  /** The `node` on the PATH is the one that runs this test. */
  const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH}` };
  const tailrace = (...args: string[]) =>
    run(join(work, 'app', 'node_modules', '.bin', 'tailrace'), args, { env, cwd: join(work, 'app'), timeout: 120_000 });

  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'tailrace-packed-'));
    await mkdir(join(work, 'app'));
    // In one call npm builds (`prepack`), packs, and says what is in the tarball.
    const packed = await run('npm', ['pack', '--json', '--pack-destination', work], { cwd: CHECKOUT, env });
    files = filesOf(packed.stdout);
    const tarball = (await readdir(work)).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball !== undefined, 'npm pack wrote a tarball');
    await writeFile(join(work, 'app', 'package.json'), '{ "private": true }\n');
    const flags = ['install', '--omit=dev', '--no-audit', '--no-fund', join(work, tarball)];
    await run('npm', flags, { cwd: join(work, 'app'), env, timeout: 600_000 });
  });

  after(() => rm(work, { recursive: true, force: true }));

  test('contains the compiled program and nothing else', () => {
    const allowed = /^(dist\/(src|connectors)\/.+|dist\/package\.json|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    assert.deepEqual(
      files.filter((file) => !allowed.test(file) || file.endsWith('.ts')),
      [],
    );
    for (const file of ['dist/src/cli/main.js', 'dist/connectors/postgres/index.js', 'LICENSE', 'README.md']) {
      assert.ok(files.includes(file), `${file} is in the package`);
    }
  });

  test('answers --help', async () => {
    const { stdout } = await tailrace('--help');
    for (const command of ['run', 'check', 'tail', 'config']) assert.match(stdout, new RegExp(`\\b${command}\\b`));
  });

  test('knows its version', async () => {
    const { version } = JSON.parse(await readFile(join(CHECKOUT, 'package.json'), 'utf8'));
    assert.equal((await tailrace('--version')).stdout.trim(), version);
  });

  test('prints the JSON Schema of its configuration', async () => {
    const schema = JSON.parse((await tailrace('config', 'schema')).stdout);
    assert.ok('sources' in schema.properties);
  });

  test('serves the status page with all of its parts, whether or not anything else can be reached', async () => {
    await writeFile(join(work, 'app', 'tailrace.yaml'), UNREACHABLE);
    const main = join(work, 'app', 'node_modules', 'tailrace', 'dist', 'src', 'cli', 'main.js');
    const daemon = spawn(process.execPath, [main, 'run'], {
      cwd: join(work, 'app'),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [daemon.stdout, daemon.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    try {
      const url = await awaitUntil('the daemon says where it listens', () => /"url":"(http:[^"]+)"/.exec(output)?.[1]);
      const get = (path: string) =>
        fetch(`${url}/${path}`, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(5_000) });
      const page = await (await get('')).text();
      assert.match(page, /^<!doctype html>/i);
      const wanted = [...page.matchAll(/(?:src|href)="(page\/[^"]+)"/g)].map(([, path]) => path!);
      for (const path of wanted) {
        const response = await get(path);
        assert.equal(response.status, 200, path);
        const imports = (await response.text()).matchAll(/^import .* from '\.\/(.+)';$/gm);
        for (const [, name] of imports) if (!wanted.includes(`page/${name}`)) wanted.push(`page/${name}`);
      }
      assert.ok(wanted.includes('page/source-card.js'), wanted.join());
    } finally {
      daemon.kill('SIGKILL');
    }
  });
});

/** Port 9 is the discard service, which nobody runs. */
const UNREACHABLE = `kafka: { brokers: ['127.0.0.1:9'] }
schema_registry: { url: 'http://127.0.0.1:9' }
checkpoint: { store: file, path: state }
http: { host: 127.0.0.1, port: 0 }
sources:
  - { name: shop, type: postgres, url: 'postgres://user:password@127.0.0.1:9/shop', tables: { include: ['public\\..*'] } }
`;

/** npm up to 11 prints a list of packages, npm 12 an object by name. */
function filesOf(json: string): string[] {
  const parsed = JSON.parse(json.slice(json.search(/^[[{]/m)));
  const [entry] = Object.values(parsed) as { files: { path: string }[] }[];
  return entry!.files.map(({ path }) => path);
}
