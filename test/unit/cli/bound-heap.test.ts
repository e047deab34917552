import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MODULE = new URL('../../../src/cli/bound-heap.ts', import.meta.url).href;
const MEBIBYTE = 1024 * 1024;

/** Size of the young generation after a program has kept many objects alive for a while: left alone it is 32 MiB or more. */
async function youngGenerationBytes(options: readonly string[]): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { boundHeap } from ${JSON.stringify(MODULE)};
    boundHeap(process.execArgv);
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
  // Two halves of 1 MiB, and what the collector adds for a moment while it moves what is alive.
  const bytes = await youngGenerationBytes([]);
  assert.ok(bytes <= 8 * MEBIBYTE, `${bytes} bytes`);
});

test('a size that the operator asks for is left alone', async () => {
  assert.ok((await youngGenerationBytes(['--max-semi-space-size=8'])) >= 12 * MEBIBYTE);
});

/** The most that the old generation takes between collections, while little of what is made stays alive for long. */
async function oldGenerationBytes(options: readonly string[]): Promise<number> {
  // What V8 allows before the first collection is no matter of growth, and differs from run to run.
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { boundHeap } from ${JSON.stringify(MODULE)};
    boundHeap(process.execArgv);
    const alive = [];
    const churn = (count) => {
      let most = 0;
      for (let i = 0; i < count; i++) {
        alive[i % 100_000] = { i };
        if (i % 10_000 !== 0) continue;
        const old = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_size;
        most = Math.max(most, old);
      }
      return most;
    };
    churn(200_000);
    gc();
    console.log(churn(2_000_000));`;
  const args = ['--no-warnings', '--expose-gc', ...options, '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return Number(stdout);
}

test('the old generation is collected before it is several times what is alive', async () => {
  const [bounded, asked] = await Promise.all([
    oldGenerationBytes([]),
    oldGenerationBytes(['--heap-growing-percent=300']),
  ]);
  assert.ok(bounded * 1.8 < asked, `${bounded} and ${asked} bytes`);
});
