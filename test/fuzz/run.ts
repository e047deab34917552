import { randomOf } from './random.ts';
import type { FuzzTarget, Verdict } from './target.ts';

/** A case that takes longer hangs, however busy the machine is. */
const CASE_DEADLINE_MS = 20_000;

export interface FuzzOutcome {
  readonly name: string;
  readonly cases: number;
  readonly refused: number;
  readonly slowestMs: number;
}

/** What went wrong in one case, with what makes it happen again. */
export class FuzzFailure extends Error {
  override readonly name = 'FuzzFailure';

  constructor(target: string, seed: number, input: string, cause: unknown) {
    const replay = `npm run test:fuzz -- --only=${target} --cases=1 --seed=${seed}`;
    super(`${target}, seed ${seed}: ${String(cause)}\n  again: ${replay}\n  input: ${input}`, { cause });
  }
}

/** @param seed of the first case; each has the next one, so that it can be run alone. @throws FuzzFailure */
export async function runTarget(target: FuzzTarget, seed: number, cases: number): Promise<FuzzOutcome> {
  let refused = 0;
  let slowestMs = 0;
  for (let number = 0; number < cases; number++) {
    const startedAt = performance.now();
    const verdict = await verdictOf(target, (seed + number) | 0);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
    if (verdict === 'refused') refused += 1;
  }
  return { name: target.name, cases, refused, slowestMs };
}

async function verdictOf(target: FuzzTarget, seed: number): Promise<Verdict> {
  const { input, judge } = target.next(randomOf(seed));
  const startedAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    const judging = judge();
    if (typeof judging === 'string') {
      const tookMs = performance.now() - startedAt;
      if (tookMs > CASE_DEADLINE_MS) throw new Error(`it took ${Math.round(tookMs)} ms`);
      return judging;
    }
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('it hangs')), CASE_DEADLINE_MS);
    });
    return await Promise.race([judging, late]);
  } catch (cause) {
    throw new FuzzFailure(target.name, seed, input, cause);
  } finally {
    clearTimeout(timer);
  }
}
