import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { InvalidConfiguration } from '../../../src/config/problem.ts';
import { parseText } from './parse-text.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', '..', 'deploy', 'config');
const TEXTS = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'));

const FRAGMENTS = [
  '\n',
  '\t',
  ' ',
  ':',
  '-',
  '- ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a',
  '*a',
  '!x',
  '|',
  '>',
  '#',
  '%',
  '@',
  '\0',
  '${',
  '$',
  '?',
  '<<: ',
  '__proto__: ',
  'null',
  '~',
  '0',
  '1e999',
  '.nan',
  '---',
  '…',
  '😀',
];

type Edit = { at: number; remove: number; insert: string };
const edits = fc.array(
  fc.record({
    at: fc.nat(4000),
    remove: fc.nat(30),
    insert: fc.oneof(fc.constantFrom(...FRAGMENTS), fc.string({ maxLength: 5 })),
  }),
  { minLength: 1, maxLength: 4 },
);

function mutate(text: string, changes: readonly Edit[]): string {
  return changes.reduce((current, { at, remove, insert }) => {
    const start = at % (current.length + 1);
    return current.slice(0, start) + insert + current.slice(start + remove);
  }, text);
}

it('a mutilated configuration has problems or is valid, and is never a crash', async () => {
  const env = { PG_PASSWORD: 'x', KAFKA_BROKERS: 'a:1' };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...TEXTS), edits, async (text, changes) => {
      try {
        await parseText(mutate(text, changes), env);
      } catch (error) {
        if (!(error instanceof InvalidConfiguration)) throw error;
        for (const problem of error.problems) {
          if (problem.message === '' || problem.remedy === '') throw new Error(`half a problem at ${problem.path}`);
          if (/undefined|\[object|Invalid input/.test(problem.message))
            throw new Error(`raw message: ${problem.message}`);
        }
      }
    }),
    { numRuns: 200 },
  );
});
