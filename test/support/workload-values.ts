import { createHash } from 'node:crypto';

/** What a column may hold; more than one value where the column's nullability or the enum's labels decide. */
export type Expected = readonly (string | null)[];

/** The most labels that a run gives the enum. */
export const MAX_LABELS = 12;

/**
 * What `workload.value` in `workload-schema.ts` writes, as text: numbers as decimals without trailing zeros, booleans as
 * `true` and `false`, times as microseconds since 1970.
 */
export function expectedValue(table: string, key: number, version: bigint, column: string): Expected {
  const hash = createHash('md5').update(`${table}:${key}:${version}:${column}`).digest('hex');
  const n = Number.parseInt(hash.slice(0, 7), 16);
  switch (column) {
    case 'id':
      return [String(key)];
    case 'a':
      return [String(key % 40)];
    case 'b':
      return [`k${Math.floor(key / 40)}`];
    case 'v':
    case 'big_v':
      return [String(version)];
    case 'big':
      return [hash.repeat(100 + (n % 100))];
  }
  const values = valuesOf(column, hash, n);
  return n % 5 === 0 && !column.startsWith('r_') ? [...values, null] : values;
}

function valuesOf(column: string, hash: string, n: number): string[] {
  switch (column.slice(0, 2)) {
    case 'i_':
    case 'r_':
      return [String(n)];
    case 't_':
      return [hash + 'é'.repeat(n % 4)];
    case 'n_':
      return [decimalText(BigInt(n), 4)];
    case 'f_':
      return [String(n % 2 === 0)];
    case 'z_':
      return [String(BigInt(n) * 1_000_000n)];
    case 'e_':
      return Array.from({ length: MAX_LABELS - 2 }, (_, more) => `l${n % (3 + more)}`);
    default:
      throw new RangeError(`the workload has no column like ${column}`);
  }
}

/** An unscaled number as a decimal, without zeros at the end of its fraction. */
export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, '');
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}
