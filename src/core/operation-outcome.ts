/** What an operation came to: its answer, or why it was not carried out. Faults of the daemon are thrown, not returned. */
export type OperationOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: OperationRefusal };

/** An operation that was not carried out and changed nothing. `kind` decides what a client is told, never the text. */
export interface OperationRefusal {
  /** `unknown`: no such source (HTTP 404); `conflict`: not in its present state (409); `invalid`: wrong request (400). */
  readonly kind: 'unknown' | 'conflict' | 'invalid';
  /** Stable code, a row of the runbook. */
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** The member of the request that is wrong, such as `tables[0]`; with `invalid`. */
  readonly field?: string;
}

export function accepted<T>(value: T): OperationOutcome<T> {
  return { ok: true, value };
}

export function unknown(code: string, message: string, remedy: string): OperationOutcome<never> {
  return { ok: false, refusal: { kind: 'unknown', code, message, remedy } };
}

export function conflict(code: string, message: string, remedy: string): OperationOutcome<never> {
  return { ok: false, refusal: { kind: 'conflict', code, message, remedy } };
}

export function invalid(code: string, message: string, remedy: string, field: string): OperationOutcome<never> {
  return { ok: false, refusal: { kind: 'invalid', code, message, remedy, field } };
}
