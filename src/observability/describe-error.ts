import { TailraceError } from '../core/errors.ts';

const MAX_CAUSES = 8;

/**
 * An error as log fields: class, code, message, remedy, where, and the chain of causes. Properties that drivers attach
 * (a server's `detail`, `where` or `query`) may hold row values and are left out. The stack is kept for errors that
 * nobody foresaw.
 */
export function describeError(error: unknown, redact: (text: string) => string): Readonly<Record<string, unknown>> {
  return describe(error, redact, MAX_CAUSES);
}

function describe(error: unknown, redact: (text: string) => string, depth: number): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { class: typeof error, message: 'A value that is not an Error was thrown.' };
  const fields: Record<string, unknown> = { class: error.name, message: redact(error.message) };
  if (error instanceof TailraceError) {
    fields.error_class = error.errorClass;
    fields.code = error.code;
    fields.remedy = redact(error.remedy);
    if (error.source !== undefined) fields.source = error.source;
    if (error.table !== undefined) fields.table = error.table;
    if (error.position !== undefined) fields.position = error.position;
  } else {
    const code: unknown = 'code' in error ? error.code : undefined;
    if (typeof code === 'string' || typeof code === 'number') fields.code = code;
  }
  const unexpected = !(error instanceof TailraceError) || error.errorClass === 'fatal';
  if (unexpected && error.stack !== undefined) fields.stack = redact(error.stack);
  if (depth > 0) {
    if (error.cause !== undefined) fields.cause = describe(error.cause, redact, depth - 1);
    if (error instanceof SuppressedError) {
      fields.error = describe(error.error, redact, depth - 1);
      fields.suppressed = describe(error.suppressed, redact, depth - 1);
    }
    if (error instanceof AggregateError) {
      fields.errors = error.errors.slice(0, MAX_CAUSES).map((each) => describe(each, redact, 0));
    }
  }
  return fields;
}
