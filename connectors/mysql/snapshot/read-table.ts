import type { RowKey } from '../../../src/core/snapshot.ts';
import type { KeyForm } from './key-form.ts';
import type { ReadTableVersion } from './read-table-version.ts';

/** A table that can be read: what its statements and the rows of their results look like. */
export interface ReadTable {
  readonly version: ReadTableVersion;
  readonly columnNames: readonly string[];
  /** Null where the table is read whole. */
  readonly key: ReadKey | null;
  /** `TypeCode` of the first column of the key. */
  readonly firstKeyType: number | null;
}

export interface ReadKey {
  readonly columns: readonly ReadKeyColumn[];
  /** The index that has exactly these columns in this order. */
  readonly index: string;
}

export interface ReadKeyColumn {
  readonly name: string;
  /** Among the columns of the table. */
  readonly place: number;
  readonly form: KeyForm;
}

export function literalsOf({ columns }: ReadKey, key: RowKey): readonly string[] {
  return columns.map(({ form }, index) => form.literal(key[index] ?? ''));
}
