import type { Chunk } from '../../../src/core/snapshot.ts';
import type { ViewTable } from './view-table.ts';

/**
 * The statements that copy the rows of a chunk, and one more than its limit, which tells that it was one. A range is read in
 * the order of the key's index, never sorted: however little it may cost to sort the table once, it is done for each chunk.
 */
export function chunkStatements(table: ViewTable, chunk: Chunk): string {
  const sort = chunk.keys === null ? 'off' : 'on';
  return `SET LOCAL enable_sort = ${sort}; COPY (${chunkQuery(table, chunk)}) TO STDOUT`;
}

export function chunkQuery(table: ViewTable, chunk: Chunk): string {
  const { key } = table;
  const conditions: string[] = [];
  if (key !== null) {
    if (chunk.after !== null) conditions.push(key.isAfter(chunk.after));
    if (chunk.upTo !== null) conditions.push(key.isUpTo(chunk.upTo));
    if (chunk.keys !== null) conditions.push(key.isOneOf(chunk.keys));
  }
  if (table.rowFilter !== null) conditions.push(`(${table.rowFilter})`);
  // The operator's text may end in a comment.
  if (chunk.filter !== null) conditions.push(`(${chunk.filter}\n)`);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const order = key === null ? '' : ` ORDER BY ${key.orderBy} LIMIT ${chunk.limits.rows + 1}`;
  return `SELECT ${table.columnList} FROM ${table.from}${where}${order}`;
}
