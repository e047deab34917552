import { codeOf } from '../../../src/core/error-classification.ts';
import { ConfigurationError, TailraceError } from '../../../src/core/errors.ts';
import { qualifiedName, type TableId } from '../../../src/core/table.ts';

/**
 * What a failed statement says of the filter in it; null where the filter is not to blame. SQLSTATEs of a statement that is
 * wrong in itself (42), or fails on a value (22), are the filter's.
 */
export function filterError(error: unknown, table: TableId): ConfigurationError | null {
  if (!(error instanceof TailraceError)) return null;
  const state = codeOf(error.cause);
  if (state === null || state === '42501' || state === '22021' || !/^(42|22)/.test(state)) return null;
  // The words of an error of class 22 may hold a value.
  const why = state.startsWith('42') ? error.message : `SQLSTATE ${state}`;
  return new ConfigurationError(`The snapshot's filter for ${qualifiedName(table)} fails: ${why}.`, {
    code: 'POSTGRES_SNAPSHOT_FILTER',
    remedy: 'Correct the filter; names of functions and types that are not built in need their schema.',
    table: qualifiedName(table),
    cause: error.cause,
  });
}
