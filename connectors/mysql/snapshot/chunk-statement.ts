import { FatalError } from '../../../src/core/errors.ts';
import { filterCondition } from '../../../src/core/filter-condition.ts';
import type { Chunk, RowKey } from '../../../src/core/snapshot.ts';
import { quotedName, quotedTable } from '../quoted-name.ts';
import { literalsOf, type ReadKey, type ReadTable } from './read-table.ts';

/**
 * The statement that reads a chunk in the order of its key, one row more than the chunk may have: it tells whether another
 * follows.
 */
export function chunkStatement({ columnNames, key, version }: ReadTable, chunk: Chunk): string {
  const select = `SELECT ${columnNames.map(quotedName).join(', ')} FROM ${quotedTable(version.id)}`;
  const conditions = key === null ? [] : keyConditions(key, chunk);
  if (chunk.filter !== null) conditions.push(filterCondition(chunk.filter));
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  if (key === null) return select + where;
  const order = key.columns.map(({ name }) => quotedName(name)).join(', ');
  // Statistics that are old, or a filter, must not make the server sort the table, which it would do for every chunk.
  return `${select} FORCE INDEX (${quotedName(key.index)})${where} ORDER BY ${order} LIMIT ${chunk.limits.rows + 1}`;
}

function keyConditions(key: ReadKey, { after, upTo, keys }: Chunk): string[] {
  if (keys !== null) return [keys.length === 0 ? 'FALSE' : `(${keys.map((each) => equal(key, each)).join(' OR ')})`];
  const conditions: string[] = [];
  if (after !== null) conditions.push(beyond(key, after, '>', '>'));
  if (upTo !== null) conditions.push(beyond(key, upTo, '<', '<='));
  return conditions;
}

function equal(key: ReadKey, values: RowKey): string {
  const literals = literalsOf(key, values);
  return `(${key.columns.map(({ name }, index) => `${quotedName(name)} = ${literals[index]}`).join(' AND ')})`;
}

/** `(a > 1 OR (a = 1 AND b > 2))`: a range of the index, which a comparison of rows is not to MySQL. */
function beyond(key: ReadKey, values: RowKey, operator: string, lastOperator: string): string {
  if (values.length !== key.columns.length) {
    throw new FatalError(`A key of ${values.length} columns was given for one of ${key.columns.length}.`, {
      code: 'MYSQL_SNAPSHOT_KEY',
      remedy: "The table's key changed during its snapshot: start the snapshot of this table again.",
    });
  }
  const literals = literalsOf(key, values);
  const last = key.columns.length - 1;
  let condition = '';
  for (let index = last; index >= 0; index--) {
    const name = quotedName(key.columns[index]?.name ?? '');
    const literal = literals[index];
    if (index === last) condition = `${name} ${lastOperator} ${literal}`;
    // The bound on the first column alone is what an optimizer that does not see through the rest goes by.
    else condition = `(${name} ${operator} ${literal} OR (${name} = ${literal} AND ${condition}))`;
  }
  return condition;
}
