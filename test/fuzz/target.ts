import type { Random } from './random.ts';

/** What became of a mutated message: an error of the class that is promised, or a decode that was checked. */
export type Verdict = 'refused' | 'decoded';

export interface FuzzCase {
  /** For whoever looks at a failure: what was changed, and the bytes or the text. */
  readonly input: string;
  /** @throws where anything else happens than the two verdicts: another error, a wrong value. */
  judge(): Verdict | Promise<Verdict>;
}

/** Something that reads what others wrote. */
export interface FuzzTarget {
  readonly name: string;
  /** Its part of all cases. */
  readonly weight: number;
  next(random: Random): FuzzCase;
  close?(): void | Promise<void>;
}

/** Runs `read`; an error of `refusal` is a verdict, any other is thrown. */
export function readOrRefuse(read: () => void, refusal: abstract new (...args: never[]) => Error): Verdict {
  try {
    read();
    return 'decoded';
  } catch (error) {
    if (error instanceof refusal) return 'refused';
    throw error;
  }
}
