import { isDeepStrictEqual } from 'node:util';
import type { Plain } from '../../../../support/plain-writer.ts';

export interface Defect {
  readonly why: string;
  readonly table: string;
  readonly columns: readonly string[];
  /** `r`: only the snapshot's value is wrong, `c`: only the stream's. */
  readonly op?: 'r' | 'c';
  /** Rows by their id in the snapshot, with what we write. */
  readonly ours: Readonly<Record<string, Plain>>;
  /** Variants in which it shows. */
  readonly variants: readonly string[];
}

const PLAIN_TIME = ['pg_default', 'pg_micro', 'pg_atm'];
const EPOCH_DATE = ['pg_default', 'pg_string', 'pg_micro'];
const ALL_ARRAYS = ['pg_default', 'pg_string', 'pg_double', 'pg_micro', 'pg_atm', 'pg_structured'];
const MIDNIGHT = { hour: 24, minute: 0, second: 0, nanos: 0 };

/** Values that Debezium mangles and we do not: one entry for each reason, each a line of docs/debezium-differences.md. */
export const DEFECTS: readonly Defect[] = [
  {
    why: 'a column of type name is published as NULL while streaming',
    table: 'inv.t_text',
    columns: ['nm'],
    op: 'c',
    variants: ['pg_default', 'pg_double', 'pg_micro', 'pg_nano', 'pg_props', 'pg_incr'],
    ours: { 2: '', 3: 'name', 4: 'é' },
  },
  {
    why: 'a timetz whose offset has seconds is published as NULL',
    table: 'inv.t_time',
    columns: ['ttz'],
    variants: [...PLAIN_TIME, 'pg_string', 'pg_double', 'pg_props'],
    ours: { 6: '02:29:59.1Z' },
  },
  {
    why: 'time 24:00:00 becomes midnight under isostring',
    table: 'inv.t_time',
    columns: ['t', 't0', 't3', 't6'],
    variants: ['pg_double'],
    ours: { 5: '24:00:00Z' },
  },
  {
    why: 'time 24:00:00 becomes NULL under structured',
    table: 'inv.t_time',
    columns: ['t', 't6'],
    variants: ['pg_structured'],
    ours: { 5: { ...MIDNIGHT, precision: 6 } },
  },
  {
    why: 'time 24:00:00 becomes NULL under structured',
    table: 'inv.t_time',
    columns: ['t0'],
    variants: ['pg_structured'],
    ours: { 5: { ...MIDNIGHT, precision: 0 } },
  },
  {
    why: 'time 24:00:00 becomes NULL under structured',
    table: 'inv.t_time',
    columns: ['t3'],
    variants: ['pg_structured'],
    ours: { 5: { ...MIDNIGHT, precision: 3 } },
  },
  {
    why: 'an infinite date is an arbitrary day, another one in the snapshot than in the stream',
    table: 'inv.t_timespecial',
    columns: ['d'],
    variants: EPOCH_DATE,
    ours: { 1: 2_147_483_647, 2: -2_147_483_648 },
  },
  {
    why: 'an infinite date is an arbitrary day, another one in the snapshot than in the stream',
    table: 'inv.t_timespecial',
    columns: ['d'],
    variants: ['pg_double'],
    ours: { 1: '+292278994-08-16Z', 2: '-292275055-05-16Z' },
  },
  {
    why: 'a snapshot loses that a date is before Christ',
    table: 'inv.t_timespecial',
    columns: ['d'],
    op: 'r',
    variants: EPOCH_DATE,
    ours: { 3: -735_160, 4: -2_440_222 },
  },
  {
    why: 'a snapshot loses that a date is before Christ',
    table: 'inv.t_timespecial',
    columns: ['d'],
    op: 'r',
    variants: ['pg_double'],
    ours: { 3: '-0043-03-15Z', 4: '-4712-11-24Z' },
  },
  {
    why: 'a snapshot loses that a date is before Christ',
    table: 'inv.t_timespecial',
    columns: ['d'],
    op: 'r',
    variants: ['pg_structured'],
    ours: {
      3: { year: -43, month: 3, day: 15, specialValue: null },
      4: { year: -4712, month: 11, day: 24, specialValue: null },
    },
  },
  {
    why: 'a timestamp beyond 64 bits of microseconds wraps around to the distant past',
    table: 'inv.t_timespecial',
    columns: ['ts'],
    variants: ['pg_default', 'pg_micro'],
    ours: { 5: 9_223_372_036_854_775_807n },
  },
  {
    why: 'a timestamp beyond 64 bits of microseconds wraps around to the distant past',
    table: 'inv.t_timespecial',
    columns: ['ts3'],
    variants: ['pg_micro'],
    ours: { 5: 9_223_372_036_854_775_807n },
  },
  {
    why: 'times in arrays are cut to milliseconds',
    table: 'inv.t_array',
    columns: ['a_ti'],
    variants: PLAIN_TIME,
    ours: { 3: [47_655_123_456n, null] },
  },
  {
    why: 'times in arrays are cut to milliseconds',
    table: 'inv.t_array',
    columns: ['a_ti'],
    variants: ['pg_double'],
    ours: { 3: ['13:14:15.123456Z', null] },
  },
  {
    why: 'times in arrays are cut to milliseconds',
    table: 'inv.t_array',
    columns: ['a_ti'],
    variants: ['pg_structured'],
    ours: { 3: [{ hour: 13, minute: 14, second: 15, nanos: 123_456_000, precision: 6 }, null] },
  },
  {
    why: 'an ltree array that holds a NULL is published as NULL',
    table: 'inv.t_array',
    columns: ['a_lt'],
    variants: ALL_ARRAYS,
    ours: { 3: ['a.b', null] },
  },
  {
    why: 'an array of several dimensions loses its elements; ours are in row-major order',
    table: 'inv.t_array',
    columns: ['a_2d'],
    variants: ALL_ARRAYS,
    ours: { 3: [1, 2, 3, 4] },
  },
];

/** What the goldens show of another feature than the types: `variant table column`, `*` for a whole table. */
const NOT_COMPARED: ReadonlySet<string> = new Set([
  // The key column is excluded from the rows, so that they cannot be told apart.
  'pg_props inv.t_text *',
  // Masked and excluded columns.
  'pg_props inv.ri_default t',
  'pg_props inv.ri_default opt',
  // A stored generated column is in the snapshot only: Postgres 17 does not put it in the log.
  ...['default', 'string', 'double', 'micro', 'nano', 'atm', 'structured'].map(
    (variant) => `pg_${variant} inv.t_default g`,
  ),
]);

export function notCompared(variant: string, table: string, column: string): boolean {
  return NOT_COMPARED.has(`${variant} ${table} ${column}`);
}

/** The reason why this difference is meant, or null. @param id of the row; streamed rows have 1000 more */
export function isDefect(
  variant: string,
  table: string,
  op: 'r' | 'c',
  id: string,
  column: string,
  ours: Plain,
): string | null {
  const row = String(Number(id) % 1000);
  const defect = DEFECTS.find(
    (candidate) =>
      candidate.table === table &&
      candidate.columns.includes(column) &&
      candidate.variants.includes(variant) &&
      (candidate.op ?? op) === op &&
      row in candidate.ours,
  );
  return defect !== undefined && isDeepStrictEqual(defect.ours[row], ours) ? defect.why : null;
}

export function defectReasons(): readonly string[] {
  return [...new Set(DEFECTS.map(({ why }) => why))];
}
