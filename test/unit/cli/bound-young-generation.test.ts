import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MODULE = new URL('../../../src/cli/bound-young-generation.ts', import.meta.url).href;
const MEBIBYTE = 1024 * 1024;

/** Size of the young generation after a program has kept many objects alive for a while: left alone it would be 32 MiB. */
async function youngGenerationBytes(options: readonly string[]): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { boundYoungGeneration } from ${JSON.stringify(MODULE)};
    boundYoungGeneration(process.execArgv);
    let kept = [];
    for (let i = 0; i < 2_000_000; i++) {
      kept.push({ i });
      if (kept.length === 100_000) kept = [];
    }
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);`;
  const args = ['--no-warnings', ...options, '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

test('the young generation stays as small as it was', async () => {
  assert.ok((await youngGenerationBytes([])) <= 4 * MEBIBYTE);
});

test('a size that the operator asks for is left alone', async () => {
  assert.ok((await youngGenerationBytes(['--max-semi-space-size=8'])) >= 12 * MEBIBYTE);
});
