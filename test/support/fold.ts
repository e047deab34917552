import type { OracleRecord, Row } from './oracle-record.ts';
import { expectedValue } from './workload-values.ts';

const UNAVAILABLE = '__debezium_unavailable_value';

export interface FoldedKey {
  version: bigint;
  /** Null while the key is deleted. */
  row: Map<string, string | null> | null;
}

/**
 * The state of one table that a consumer arrives at, and a judge of the way there: each key's versions must come without
 * gaps, and each row must hold what its version holds.
 */
export class Fold {
  readonly table: string;
  readonly keys = new Map<number, FoldedKey>();
  readonly #problem: (text: string) => void;

  constructor(table: string, problem: (text: string) => void) {
    this.table = table;
    this.#problem = problem;
  }

  /** Takes a record that is no repetition. */
  apply(record: OracleRecord): void {
    if (record.op === 'tombstone') return;
    if (record.op === 't') {
      for (const folded of this.keys.values()) {
        if (folded.row === null) continue;
        folded.version += 1n;
        folded.row = null;
      }
      return;
    }
    const { key } = record;
    if (key === null) {
      this.#report(record, 'has no key');
      return;
    }
    const folded = this.#at(key);
    if (record.op === 'd') {
      this.#delete(record, folded);
      return;
    }
    const from = record.before?.get('id') ?? null;
    if (record.op === 'u' && from !== null && Number(from) !== key) {
      // A row of a table without key moved: to the oracle, what stands for its key changed.
      this.#delete(record, this.#at(Number(from)));
      this.#write({ ...record, op: 'c', before: null }, key, folded);
      return;
    }
    this.#write(record, key, folded);
  }

  #at(key: number): FoldedKey {
    const folded = this.keys.get(key) ?? { version: 0n, row: null };
    this.keys.set(key, folded);
    return folded;
  }

  #delete(record: OracleRecord, folded: FoldedKey): void {
    if (folded.row === null) this.#report(record, 'deletes a key that is not there');
    this.#checkBefore(record, folded);
    folded.version += 1n;
    folded.row = null;
  }

  #write(record: OracleRecord, key: number, folded: FoldedKey): void {
    const { after, op } = record;
    const text = after?.get('v');
    if (after === null || text === null || text === undefined) {
      this.#report(record, 'has no row');
      return;
    }
    const version = BigInt(text);
    if (version !== folded.version + 1n) this.#report(record, `has version ${version} after ${folded.version}`);
    if ((op === 'c') !== (folded.row === null)) this.#report(record, `is a "${op}" of a row in the wrong state`);
    this.#checkBefore(record, folded);
    const row = new Map(after);
    if (row.get('big') === UNAVAILABLE) {
      const known = folded.row?.get('big_v') === row.get('big_v') ? folded.row?.get('big') : undefined;
      if (known === undefined || row.get('big_v') === text)
        this.#report(record, 'lacks a large value that was written');
      row.set('big', known ?? null);
    }
    this.#checkValues(record, key, version, row);
    folded.version = version;
    folded.row = row;
  }

  /** A whole old row must be the row as it was. */
  #checkBefore({ before, ...record }: OracleRecord, folded: FoldedKey): void {
    const version = before?.get('v');
    // An old image with only the key has 0 for the columns that it lacks.
    if (version === null || version === undefined || version === '0') return;
    if (BigInt(version) !== folded.version) {
      this.#report({ ...record, before: null }, `has an old row of version ${version}, not ${folded.version}`);
    }
  }

  #checkValues(record: OracleRecord, key: number, version: bigint, row: Row): void {
    const bigVersion = row.get('big_v');
    for (const [column, value] of row) {
      if (column === 'big_v') continue;
      const since = column === 'big' && bigVersion ? BigInt(bigVersion) : version;
      if (expectedValue(this.table, key, since, column).includes(value)) continue;
      this.#report(record, `holds a wrong value in ${column} (${typeof value}, ${value?.length ?? 0} characters)`);
    }
  }

  #report(record: OracleRecord, what: string): void {
    this.#problem(`${this.table}/${record.partition}@${record.offset}: ${record.op} of key ${record.key} ${what}`);
  }
}
