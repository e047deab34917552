import { filterCondition } from '../../../src/core/filter-condition.ts';
import type { Chunk } from '../../../src/core/snapshot.ts';
import { placeLiteral } from './dividing-places.ts';
import type { ViewTable } from './view-table.ts';

/** The statement that copies the rows of a chunk, and one more than its limit, which tells that it was one. */
export function chunkStatement(table: ViewTable, chunk: Chunk): string {
  return `COPY (${chunkQuery(table, chunk)}) TO STDOUT`;
}

export function chunkQuery(table: ViewTable, chunk: Chunk): string {
  const { key, columnList, from } = table;
  const conditions: string[] = [];
  if (key !== null) {
    if (chunk.after !== null) conditions.push(key.isAfter(chunk.after));
    if (chunk.upTo !== null) conditions.push(key.isUpTo(chunk.upTo));
    if (chunk.keys !== null) conditions.push(key.isOneOf(chunk.keys));
  } else {
    if (chunk.after !== null) conditions.push(`ctid > ${placeLiteral(chunk.after)}`);
    if (chunk.upTo !== null) conditions.push(`ctid <= ${placeLiteral(chunk.upTo)}`);
  }
  if (table.rowFilter !== null) conditions.push(`(${table.rowFilter})`);
  if (chunk.filter !== null) conditions.push(filterCondition(chunk.filter));
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const rows = `SELECT ${columnList} FROM ${from}${where}`;
  if (key === null) return rows;
  // Single keys are looked up first, and then sorted: their order must not make the planner walk through the whole index.
  const ordered = chunk.keys === null ? rows : `SELECT ${columnList} FROM (${rows} OFFSET 0) AS wanted`;
  return `${ordered} ORDER BY ${key.orderBy} LIMIT ${chunk.limits.rows + 1}`;
}
