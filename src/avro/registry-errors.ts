import { TransientError } from '../core/errors.ts';

/** No URL of the registry gave an answer: refused, timed out, or an error of the server itself. */
export class RegistryUnreachableError extends TransientError {}

/** The registry answered, and the answer is no. What that means depends on the question. */
export class RegistryRefusal extends Error {
  override readonly name = 'RegistryRefusal';
  readonly status: number;
  /** The registry's own `error_code`, such as 40401; the HTTP status where it gave none. */
  readonly errorCode: number;

  constructor(status: number, errorCode: number, message: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }

  /** A subject, version or schema that is not there; a bare 404 means that this is no registry's path. */
  get isNotFound(): boolean {
    return this.status === 404 && this.errorCode >= 40400 && this.errorCode < 40500;
  }

  get isIncompatible(): boolean {
    return this.status === 409;
  }
}
