import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { MAX_LINES, oversizedFiles } from './file-size.ts';
import { CHECKOUT } from './local/checkout.ts';

/** `npm run check`: everything that can be said about the source without running it. All checks run, whatever fails. */
interface Check {
  readonly name: string;
  /** Resolves to what is wrong, or to null. */
  run(): Promise<string | null>;
}

const COLORS = process.stdout.isTTY ? '--colors=force' : '--colors=off';
const ZONES = ['src', 'connectors', 'deploy', 'test'];

const checks: readonly Check[] = [
  { name: 'types (tsc)', run: () => tool('typescript/bin/tsc', ['-p', 'tsconfig.json']) },
  { name: 'types of the status page (tsc)', run: () => tool('typescript/bin/tsc', ['-p', 'tsconfig.page.json']) },
  {
    name: 'format and lint (biome)',
    run: () => tool('@biomejs/biome/bin/biome', ['ci', '--error-on-warnings', COLORS, '.']),
  },
  {
    name: 'import zones and cycles (dependency-cruiser)',
    run: () => tool('dependency-cruiser/bin/dependency-cruise.mjs', ['--config', '.dependency-cruiser.mjs', ...ZONES]),
  },
  { name: `no source file over ${MAX_LINES} lines`, run: async () => listOversized() },
];

function tool(script: string, args: readonly string[]): Promise<string | null> {
  const path = join(CHECKOUT, 'node_modules', script);
  const options = { cwd: CHECKOUT, maxBuffer: 64 * 1024 * 1024, timeout: 300_000, env: { ...process.env } };
  if (process.stdout.isTTY) options.env.FORCE_COLOR = '1';
  return new Promise((resolve) => {
    execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
      resolve(error === null ? null : `${stdout}${stderr}`.trim() || error.message);
    });
  });
}

function listOversized(): string | null {
  const files = oversizedFiles(CHECKOUT);
  return files.length === 0 ? null : files.map(({ path, lines }) => `${path}: ${lines} lines`).join('\n');
}

const problems = await Promise.all(
  checks.map(async (check) => {
    const startedAt = performance.now();
    const problem = await check.run();
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${problem === null ? 'passed' : 'FAILED'}  ${check.name} (${seconds} s)`);
    return problem === null ? null : `\n── ${check.name} ──\n${problem}`;
  }),
);
const found = problems.filter((problem) => problem !== null);
if (found.length > 0) {
  console.log(found.join('\n'));
  process.exitCode = 1;
}
