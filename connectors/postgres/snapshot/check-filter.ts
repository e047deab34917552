import { filterCondition } from '../../../src/core/filter-condition.ts';
import type { SnapshotTable } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { SqlQueries } from '../connection.ts';
import { filterError } from './filter-error.ts';
import { qualified } from './key-order.ts';

/** Asks for no row. With a parameter the server takes one statement only, whatever the operator's text holds. */
export async function checkFilter(
  sql: SqlQueries,
  { id }: SnapshotTable,
  filter: string,
  signal: AbortSignal,
): Promise<void> {
  const doing = `checking a filter on ${qualifiedName(id)}`;
  try {
    await sql.query(
      doing,
      `SELECT 1 FROM ${qualified([id.schema ?? '', id.name])} WHERE ${filterCondition(filter)} LIMIT $1`,
      [0],
      signal,
    );
  } catch (error) {
    throw filterError(error, id) ?? error;
  }
}
