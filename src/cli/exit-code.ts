import { CommanderError } from 'commander';
import { TailraceError } from '../core/errors.ts';

/** What the process says to the shell. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUse: 2,
  different: 3,
  resyncRequired: 4,
  cutShort: 130,
} as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return EXIT.wrongUse;
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUse;
  if (!(error instanceof TailraceError)) return EXIT.failed;
  if (error.errorClass === 'configuration') return EXIT.wrongUse;
  return error.errorClass === 'resync-required' ? EXIT.resyncRequired : EXIT.failed;
}

/** A command line that cannot be carried out; `remedy` is what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly remedy: string;

  constructor(message: string, remedy: string) {
    super(message);
    this.remedy = remedy;
  }
}
