import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidConfiguration } from '../../src/config/problem.ts';
import { parseText } from '../unit/config/parse-text.ts';
import type { Random } from './random.ts';
import type { FuzzTarget, Verdict } from './target.ts';

const EXAMPLES = join(import.meta.dirname, '..', '..', 'deploy', 'config');
const ENVIRONMENT = { PG_PASSWORD: 'x', KAFKA_BROKERS: 'a:1' };
const FRAGMENTS =
  `\n|\t| |:|-|- |{|}|[|]|"|'|&a|*a|!x|>|#|%|@|\0|\${|$|?|<<: |__proto__: |null|~|0|-1|1e999|.nan|---|…|😀|true`.split(
    '|',
  );

function mutatedText(text: string, random: Random): string {
  let mutated = text;
  for (let left = 1 + random(4); left > 0; left--) {
    const at = random(mutated.length + 1);
    const insert = random(4) === 0 ? String.fromCharCode(random(0x3000)) : FRAGMENTS[random(FRAGMENTS.length)]!;
    mutated = mutated.slice(0, at) + insert + mutated.slice(at + random(30));
  }
  return mutated;
}

async function judge(text: string): Promise<Verdict> {
  try {
    await parseText(text, ENVIRONMENT);
    return 'decoded';
  } catch (error) {
    if (!(error instanceof InvalidConfiguration)) throw error;
    for (const { path, message, remedy } of error.problems) {
      assert.ok(message !== '' && remedy !== '', `half a problem at ${path}`);
      assert.doesNotMatch(message, /undefined|\[object|Invalid input/);
    }
    return 'refused';
  }
}

/** The example configurations with a few places edited: problems that say what to do, or settings. */
export function configuration(): FuzzTarget {
  const texts = readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(EXAMPLES, name), 'utf8'));
  return {
    name: 'configuration',
    weight: 4,
    next(random: Random) {
      const text = mutatedText(texts[random(texts.length)]!, random);
      return { input: JSON.stringify(text), judge: () => judge(text) };
    },
  };
}
