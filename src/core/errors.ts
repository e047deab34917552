export const ERROR_CLASSES = ['transient', 'resync-required', 'configuration', 'poison', 'ownership', 'fatal'] as const;

/** What the supervisor does about an error. The class of an error decides; its text never does. */
export type ErrorClass = (typeof ERROR_CLASSES)[number];

export interface ErrorContext {
  /** Stable code for dashboards and the runbook, e.g. `POSTGRES_SLOT_MISSING`. */
  readonly code: string;
  /** What the operator can do about it, in a sentence. */
  readonly remedy: string;
  readonly source?: string;
  readonly table?: string;
  readonly position?: string;
  readonly cause?: unknown;
}

/** Base of every error that an operator may see: what happened (message), where (context) and what to do (remedy). */
export abstract class TailraceError extends Error {
  abstract readonly errorClass: ErrorClass;
  readonly code: string;
  readonly remedy: string;
  readonly source: string | undefined;
  readonly table: string | undefined;
  readonly position: string | undefined;

  constructor(message: string, context: ErrorContext) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = new.target.name;
    this.code = context.code;
    this.remedy = context.remedy;
    this.source = context.source;
    this.table = context.table;
    this.position = context.position;
  }
}

/** Goes away by itself: the source backs off and starts again from its checkpoint. */
export class TransientError extends TailraceError {
  readonly errorClass = 'transient';
}

/** What the checkpoint needs is no longer in the log; only a new snapshot makes the topics right again. */
export class ResyncRequiredError extends TailraceError {
  readonly errorClass = 'resync-required';
}

/** The operator has to change a setting, a privilege or the source; the other sources run on. */
export class ConfigurationError extends TailraceError {
  readonly errorClass = 'configuration';
}

/** One change that cannot be published. Policy per source: stop before it, or a dead letter. */
export class PoisonChangeError extends TailraceError {
  readonly errorClass = 'poison';
}

/** Another process owns the source now; this one must not send anything more. */
export class OwnershipLostError extends TailraceError {
  readonly errorClass = 'ownership';
}

/** A broken promise of our own or of a peer: stop this source and say so. */
export class FatalError extends TailraceError {
  readonly errorClass = 'fatal';
}

/** Bytes that are not a value of the column's type. The pipeline adds table, column and position and makes it poison. */
export class MalformedValueError extends Error {
  override readonly name = 'MalformedValueError';
}
