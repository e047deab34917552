import { ConfigurationError, TailraceError } from '../../../src/core/errors.ts';
import { numberOf } from '../server-error.ts';

/** What a wrong filter leads to: its syntax, columns and functions that are none, values that do not compare. */
const FILTER_ERRORS: ReadonlySet<number | null> = new Set([1054, 1064, 1305, 1111, 1052, 1267, 1582, 1210, 1630]);

/** What a failed statement says of the filter in it; null where the filter is not to blame. */
export function filterError(error: unknown, table: string): ConfigurationError | null {
  if (!(error instanceof TailraceError) || !FILTER_ERRORS.has(numberOf(error.cause))) return null;
  return new ConfigurationError(`The filter for ${table} is no condition that the server takes: ${error.message}`, {
    code: 'MYSQL_SNAPSHOT_FILTER',
    remedy: 'Correct the SQL of the filter; it stands behind WHERE.',
    table,
    cause: error,
  });
}
