import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { runTarget } from '../../fuzz/run.ts';
import type { FuzzTarget } from '../../fuzz/target.ts';
import { openTargets, shareOf } from '../../fuzz/targets.ts';

/** `npm run test:fuzz` has twenty times as many, of another seed each time. */
const CASES = 5_000;
const SEED = Number(process.env.TEST_SEED ?? 20_261_121);

describe('mutated messages are refused by name or decoded to what they say', () => {
  let targets: readonly FuzzTarget[] = [];
  before(async () => {
    targets = await openTargets();
  });
  after(() => Promise.all(targets.map((target) => target.close?.())));

  test(`${CASES} of every kind`, async () => {
    for (const target of targets) {
      const { cases, refused } = await runTarget(target, SEED, shareOf(target, targets, CASES));
      assert.ok(refused > 0 && refused < cases, `${target.name}: ${refused} of ${cases} were refused`);
    }
  });
});

test('a failure has the seed of its case, which alone makes it happen again', async () => {
  const target: FuzzTarget = {
    name: 'odd',
    weight: 1,
    next: (random) => {
      const number = random(1000);
      return {
        input: String(number),
        judge: () => {
          if (number % 97 === 0) throw new RangeError(`met ${number}`);
          return 'refused';
        },
      };
    },
  };
  const first = await runTarget(target, 5, 10_000).catch((error: Error) => error);
  assert.ok(first instanceof Error);
  const [, seed, number] = /seed (\d+): RangeError: met (\d+)/.exec(first.message) ?? [];
  await assert.rejects(runTarget(target, Number(seed), 1), new RegExp(`met ${number}\\n`));
});

test('a case that never ends is a failure', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const never: FuzzTarget = {
    name: 'never',
    weight: 1,
    next: () => ({ input: '', judge: () => new Promise(() => {}) }),
  };
  const running = assert.rejects(runTarget(never, 1, 1), /hangs/);
  context.mock.timers.tick(60_000);
  await running;
});
