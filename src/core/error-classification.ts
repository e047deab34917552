import {
  ConfigurationError,
  type ErrorClass,
  FatalError,
  ResyncRequiredError,
  type TailraceError,
  TransientError,
} from './errors.ts';

/** What a driver's or a server's error is to an operator, in a connector's table of codes. */
export interface Classification {
  readonly errorClass: ErrorClass;
  readonly code: string;
  readonly remedy: string;
}

export function transient(code: string, remedy: string): Classification {
  return { errorClass: 'transient', code, remedy };
}

export function configuration(code: string, remedy: string): Classification {
  return { errorClass: 'configuration', code, remedy };
}

export function resync(code: string, remedy: string): Classification {
  return { errorClass: 'resync-required', code, remedy };
}

/** What stands in no table. */
export function unforeseen(code: string): Classification {
  return { errorClass: 'fatal', code, remedy: "Not foreseen; look at the server's log and report it." };
}

/** Socket and resolver errors that come and go, by Node's error code. */
export const PASSING_SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
]);

/** Whether Node refused the other side's certificate, or TLS with it. */
export function isTlsCode(code: string): boolean {
  return /^(ERR_TLS|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_SSL)/.test(code);
}

/** The `code` of an error where it has one in words: Node's, a driver's, an SQLSTATE. */
export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : null;
}

export function classifiedError(classification: Classification, message: string, cause?: unknown): TailraceError {
  const { errorClass, code, remedy } = classification;
  const context = { code, remedy, cause };
  switch (errorClass) {
    case 'transient':
      return new TransientError(message, context);
    case 'resync-required':
      return new ResyncRequiredError(message, context);
    case 'configuration':
      return new ConfigurationError(message, context);
    default:
      return new FatalError(message, context);
  }
}
