import { ERROR_CLASSES, type ErrorClass, TailraceError } from '../core/errors.ts';
import type { SourceStateName, StatusError } from '../core/source-status.ts';

/** What ended an attempt, and what follows from it. */
export interface SourceFailure {
  readonly class: ErrorClass | 'unclassified';
  readonly next: Extract<SourceStateName, 'backing-off' | 'resync-required' | 'failed'>;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export const FAILURE_CLASSES: readonly SourceFailure['class'][] = [...ERROR_CLASSES, 'unclassified'];

const NEXT_STATE: Readonly<Record<ErrorClass, SourceFailure['next']>> = {
  transient: 'backing-off',
  'resync-required': 'resync-required',
  configuration: 'failed',
  poison: 'failed',
  ownership: 'failed',
  fatal: 'failed',
};

/**
 * Decides by the class of the error. What has no class is tried again: nothing was skipped by failing, and the log has
 * the stack. Its text comes from a library and may quote a row or a password, so it is not repeated in the status.
 */
export function classifyFailure(thrown: unknown): SourceFailure {
  const error = firstFailure(thrown);
  if (error instanceof TailraceError) {
    const { errorClass, code, message, remedy } = error;
    return { class: errorClass, next: NEXT_STATE[errorClass], code, message, remedy };
  }
  const name = error instanceof Error ? error.name : typeof error;
  const libraryCode: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return {
    class: 'unclassified',
    next: 'backing-off',
    code: 'UNCLASSIFIED',
    message: `An unexpected ${name}${typeof libraryCode === 'string' ? ` (${libraryCode})` : ''} ended the attempt.`,
    remedy: 'The source starts again by itself. If this stays, report it with the log line that has the stack.',
  };
}

export function statusError(failure: SourceFailure, at: Date): StatusError {
  const { code, message, remedy } = failure;
  return { code, message, remedy, at: at.toISOString() };
}

/** Where closing resources failed too (`await using`), the error before that is the one that decides. */
export function firstFailure(thrown: unknown): unknown {
  let error = thrown;
  while (error instanceof SuppressedError) error = error.suppressed;
  return error;
}
