import { FatalError } from '../../../src/core/errors.ts';
import type { RowKey } from '../../../src/core/snapshot.ts';
import { quoteIdentifier } from '../protocol/start-replication.ts';

/** A column of a key as its unique index orders it: rows are read in the order that this index gives for nothing. */
export interface KeyColumn {
  readonly name: string;
  /** Schema and name of the type that key texts are read as: of the operators, or of the column without its domains. */
  readonly type: QualifiedName;
  /** Where the index has another than the column. */
  readonly collation: QualifiedName | null;
  readonly isDescending: boolean;
  readonly nullsFirst: boolean;
  readonly operators: Readonly<Record<Comparison, QualifiedName>>;
}

export type QualifiedName = readonly [schema: string, name: string];

/** By B-tree strategy: https://www.postgresql.org/docs/current/xindex.html#XINDEX-STRATEGIES */
export const COMPARISONS = { '<': 1, '<=': 2, '=': 3, '>=': 4, '>': 5 } as const;
export type Comparison = keyof typeof COMPARISONS;

const REVERSED: Readonly<Record<Comparison, Comparison>> = { '<': '>', '<=': '>=', '=': '=', '>=': '<=', '>': '<' };

/**
 * SQL that reads a table in pieces of its key, for keys of any type, collation and direction. Operators are named with
 * their schema: under an empty search_path the `>` of citext, for one, would be that of text.
 */
export class KeyOrder {
  readonly columns: readonly KeyColumn[];
  /** One row comparison does: all columns have the same operators in the same direction. */
  readonly #isUniform: boolean;

  constructor(columns: readonly KeyColumn[]) {
    this.columns = columns;
    const [first] = columns;
    this.#isUniform = columns.every(
      (column) =>
        column.isDescending === first?.isDescending &&
        (['<', '<=', '=', '>=', '>'] as const).every(
          (comparison) => String(column.operators[comparison]) === String(first.operators[comparison]),
        ),
    );
  }

  get orderBy(): string {
    return this.columns
      .map((column) => {
        const nulls = column.nullsFirst ? 'FIRST' : 'LAST';
        return `${expression(column)} USING ${operator(column, '<')} NULLS ${nulls}`;
      })
      .join(', ');
  }

  isAfter(key: RowKey): string {
    return this.#compare('>', key);
  }

  isUpTo(key: RowKey): string {
    return this.#compare('<=', key);
  }

  isOneOf(keys: readonly RowKey[]): string {
    // An empty list of VALUES is no SQL.
    if (keys.length === 0) return 'false';
    const rows = keys.map((key) => `(${this.#values(key).join(', ')})`).join(', ');
    const names = this.columns.map((_, index) => `k${index}`);
    const equal = this.columns.map(
      (column, index) => `${expression(column)} ${operator(column, '=')} wanted.k${index}`,
    );
    return `EXISTS (SELECT FROM (VALUES ${rows}) AS wanted(${names.join(', ')}) WHERE ${equal.join(' AND ')})`;
  }

  #compare(comparison: '>' | '<=', key: RowKey): string {
    const values = this.#values(key);
    const [first] = this.columns;
    if (this.#isUniform && first !== undefined) {
      const left = this.columns.map(expression).join(', ');
      return `(${left}) ${operator(first, comparison)} (${values.join(', ')})`;
    }
    return this.#compareFrom(0, comparison, values);
  }

  /** `a > x OR (a = x AND …)`, with `a >= x` in front, which an index can use. */
  #compareFrom(index: number, comparison: '>' | '<=', values: readonly string[]): string {
    const column = this.columns[index]!;
    const value = values[index]!;
    const is = (wanted: Comparison) => `${expression(column)} ${operator(column, wanted)} ${value}`;
    if (index === this.columns.length - 1) return is(comparison);
    const strict = comparison === '>' ? '>' : '<';
    const rest = this.#compareFrom(index + 1, comparison, values);
    return `(${is(comparison === '>' ? '>=' : '<=')} AND (${is(strict)} OR ${rest}))`;
  }

  #values(key: RowKey): string[] {
    if (key.length !== this.columns.length) {
      throw new FatalError(`A key of ${key.length} columns was used where ${this.columns.length} make one.`, {
        code: 'POSTGRES_SNAPSHOT_KEY',
        remedy: "The table's key was changed since; snapshot the table again from its start.",
      });
    }
    return this.columns.map(({ type }, index) => `${quoteText(key[index]!)}::${qualified(type)}`);
  }
}

function expression(column: KeyColumn): string {
  const name = quoteIdentifier(column.name);
  return column.collation === null ? name : `${name} COLLATE ${qualified(column.collation)}`;
}

function operator(column: KeyColumn, comparison: Comparison): string {
  const [schema, name] = column.operators[column.isDescending ? REVERSED[comparison] : comparison];
  return `OPERATOR(${quoteIdentifier(schema)}.${name})`;
}

export function qualified([schema, name]: QualifiedName): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`;
}

/** A literal whatever `standard_conforming_strings` is. */
function quoteText(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
