import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { runProgram } from '../../../src/cli/program.ts';
import { connectorRegistry } from '../../../src/connector-registry.ts';

const PAGE = 'docs/deployment.md';
const page = readFileSync(join(CHECKOUT, PAGE), 'utf8');
/** Commands of the page, one a line, continued lines joined. */
const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, block]) =>
  block!
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== ''),
);

test('every link of the page leads somewhere', () => {
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link!);
  assert.ok(links.length > 10);
  for (const link of links) {
    const [path, anchor] = link.split('#');
    const target = join(dirname(PAGE), path!);
    assert.ok(existsSync(join(CHECKOUT, target)), link);
    if (anchor === undefined) continue;
    assert.ok(anchorsOf(readFileSync(join(CHECKOUT, target), 'utf8')).includes(anchor), link);
  }
});

test('every file of deploy that a command names is there, and versions are those of the package', () => {
  const { version } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
  const named = commands.flatMap((line) => line.match(/\bdeploy\/[\w./-]+/g) ?? []);
  assert.ok(named.length >= 7);
  for (const path of named) assert.ok(existsSync(join(CHECKOUT, path)), path);
  const versions = page.matchAll(/tailrace[:-](\d+\.\d+\.\d+)/g);
  for (const [text, written] of versions) assert.equal(written, version, text);
});

test('tailrace knows the commands that the page has', async () => {
  const own = new Set(
    [...page.matchAll(/`?\btailrace ((?:config |checkpoint )?(?:check|run|verify|export)\b)/g)].map(
      ([, name]) => name!,
    ),
  );
  assert.deepEqual([...own].sort(), ['check', 'checkpoint export', 'config check', 'run', 'verify']);
  for (const name of own) {
    let stdout = '';
    const exitCode = await runProgram([...name.split(' '), '--help'], '0.0.0', {
      stdout: { write: (text: string) => (stdout += text) },
      stderr: { write: () => {} },
      env: {},
      connectors: connectorRegistry,
      loadApplication: () => Promise.reject(new Error('a help text needs no application')),
      interruption: () => new AbortController().signal,
    } as unknown as Parameters<typeof runProgram>[2]);
    assert.equal(exitCode, 0, name);
    assert.match(stdout, new RegExp(`Usage: tailrace ${name}\\b`));
  }
});

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
