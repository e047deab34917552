import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FuzzFailure, runTarget } from './run.ts';
import { openTargets, shareOf } from './targets.ts';

const DEFAULT_CASES = 100_000;
const USAGE = `usage: npm run test:fuzz [-- --cases=N] [--seed=N] [--only=TARGET]

  Mutates what servers, brokers, registries and operators write, ${DEFAULT_CASES} times unless told otherwise. Each case ends
  with an error of the promised class or with a decode that holds against its own bytes; anything else, a hang included, ends
  the run with 1, the seed of that case and what makes it happen again. Without --seed each run has its own.
`;

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`--${name} is a whole number\n\n${USAGE}`);
  process.exit(2);
}

const { values } = parseArgs({
  options: { cases: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' }, help: { type: 'boolean' } },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const cases = wholeNumber('cases', values.cases ?? String(DEFAULT_CASES));
const seed = wholeNumber('seed', values.seed ?? String(randomInt(2 ** 31)));
const all = await openTargets();
const targets = all.filter(({ name }) => values.only === undefined || name === values.only);
if (targets.length === 0) {
  process.stderr.write(`there is no target "${values.only}": ${all.map(({ name }) => name).join(', ')}\n`);
  process.exitCode = 2;
}
console.log(`seed ${seed}`);
try {
  for (const target of targets) {
    const startedAt = performance.now();
    const outcome = await runTarget(target, seed, shareOf(target, targets, cases));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const decoded = outcome.cases - outcome.refused;
    console.log(`${target.name}: ${outcome.cases} cases, ${outcome.refused} refused, ${decoded} decoded, ${seconds} s`);
  }
} catch (error) {
  if (!(error instanceof FuzzFailure)) throw error;
  console.error(`${error.message}\n${(error.cause as Error | undefined)?.stack ?? ''}`);
  process.exitCode = 1;
} finally {
  await Promise.all(all.map((target) => target.close?.()));
}
