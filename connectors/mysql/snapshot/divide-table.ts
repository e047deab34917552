import type { RowKey, SnapshotTable } from '../../../src/core/snapshot.ts';
import { qualifiedName } from '../../../src/core/table.ts';
import type { SqlConnection } from '../connection.ts';
import { TypeCode } from '../protocol/type-code.ts';
import { quotedName, quotedTable } from '../quoted-name.ts';
import type { ReadTable } from './read-table.ts';

/** Below this the ranges of a table are read faster one after the other than they are found. */
const FEWEST_ROWS = 10_000;
/** A table whose numbers are used this much is divided by them alone. */
const DENSE = 0.5;
const MOST_STEPS = 64;
const CLOSE_ENOUGH = 0.02;
const INTEGERS: ReadonlySet<number> = new Set([
  TypeCode.tiny,
  TypeCode.short,
  TypeCode.int24,
  TypeCode.long,
  TypeCode.longlong,
]);

/**
 * Divides a table whose key begins with a whole number. Where numbers are missing, the bounds are found by the optimizer's
 * estimates of ranges: each takes two dives into the index and reads no rows.
 */
export async function divideTable(
  sql: SqlConnection,
  table: SnapshotTable,
  { key, firstKeyType }: ReadTable,
  count: number,
  /** The key of the first row for which a condition holds. */
  firstKeyWhere: (condition: string) => Promise<RowKey | null>,
  signal: AbortSignal,
): Promise<readonly RowKey[]> {
  const estimatedRows = table.estimatedRows ?? 0;
  if (key === null || count < 2 || estimatedRows < FEWEST_ROWS || !INTEGERS.has(firstKeyType ?? -1)) return [];
  const doing = `dividing ${qualifiedName(table.id)}`;
  const name = quotedName(key.columns[0]?.name ?? '');
  const from = `${quotedTable(table.id)} FORCE INDEX (${quotedName(key.index)})`;
  const ends = `SELECT CAST(MIN(${name}) AS CHAR) AS least, CAST(MAX(${name}) AS CHAR) AS greatest FROM ${from}`;
  const [row] = await sql.query<{ least: string | null; greatest: string | null }>(doing, ends, [], signal);
  if (row === undefined || row.least === null || row.greatest === null) return [];
  const [least, greatest] = [BigInt(row.least), BigInt(row.greatest)];
  const span = greatest - least + 1n;
  const isDense = estimatedRows >= Number(span) * DENSE;
  const estimate = async (condition: string): Promise<number> => {
    // MySQL 8 takes an index that it is forced to without asking how large the range is.
    const select = `SELECT ${name} FROM ${quotedTable(table.id)} WHERE ${name} ${condition}`;
    const [plan] = await sql.query(doing, `EXPLAIN FORMAT=TRADITIONAL ${select}`, [], signal);
    return Number(plan?.rows ?? 0);
  };
  // InnoDB never estimates a range to have more than half of the table: both sides are asked for.
  const shareUpTo = async (value: bigint): Promise<number> => {
    const below = await estimate(`<= ${value}`);
    return below / Math.max(1, below + (await estimate(`> ${value}`)));
  };
  const bounds: RowKey[] = [];
  let below = least;
  for (let part = 1; part < count; part++) {
    const wanted = least + (span * BigInt(part)) / BigInt(count);
    const value = isDense ? wanted : await valueAt(shareUpTo, part / count, below, greatest);
    below = value;
    const bound = await firstKeyWhere(`${name} >= ${value}`);
    if (bound !== null && bound.join() !== bounds.at(-1)?.join()) bounds.push(bound);
  }
  return bounds;
}

/** The number up to which about `share` of the rows lie. */
async function valueAt(
  shareUpTo: (value: bigint) => Promise<number>,
  share: number,
  least: bigint,
  greatest: bigint,
): Promise<bigint> {
  let low = least;
  let high = greatest;
  for (let step = 0; step < MOST_STEPS && high - low > 1n; step++) {
    const middle = (low + high) / 2n;
    const reached = await shareUpTo(middle);
    if (Math.abs(reached - share) < CLOSE_ENOUGH) return middle;
    if (reached < share) low = middle;
    else high = middle;
  }
  return high;
}
