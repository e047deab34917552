import { ConfigurationError, type ErrorContext } from './errors.ts';

/** What is to be done about the changes of a table whose schema the registry refuses. */
export type IncompatiblePolicy = 'fail' | 'dead_letter';

/**
 * The registry does not let this schema follow the subject's latest version. Thrown before any record under the schema
 * was sent. Under `fail` the source stops; under `dead_letter` the pipeline makes dead letters of the table's changes.
 */
export class IncompatibleSchemaError extends ConfigurationError {
  readonly subject: string;
  readonly policy: IncompatiblePolicy;

  constructor(message: string, subject: string, policy: IncompatiblePolicy, context: ErrorContext) {
    super(message, context);
    this.subject = subject;
    this.policy = policy;
  }
}
