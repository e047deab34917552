import type { CommonTypeModes } from '../../src/core/type-modes.ts';

/** A type as `pg_type` describes it, with what a codec needs resolved. */
export interface PgType {
  readonly oid: number;
  /** Schema of the type; built-in types are in `pg_catalog`. */
  readonly schema: string;
  /** `typname`: `int4`, `_text`, `hstore`, … */
  readonly name: string;
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'range' | 'multirange' | 'pseudo';
  /** Element type of an array, else null. */
  readonly element: PgType | null;
  /** What a domain is over, with the domain's own type modifier (-1: none), else null. */
  readonly base: { readonly type: PgType; readonly typmod: number } | null;
  /** Labels of an enum in `enumsortorder`, else empty. */
  readonly labels: readonly string[];
}

/** How values are represented, as configured under `types:`. */
export interface TypeModes extends CommonTypeModes {
  readonly interval: 'numeric' | 'string';
  readonly hstore: 'json' | 'map';
  /** Types that Debezium does not know: leave the column out, or publish the text form. */
  readonly unknown: 'skip' | 'include';
  /** `money.fraction.digits`. */
  readonly moneyFractionDigits: number;
  /** `unverified`: the database's encoding is SQL_ASCII, so that every value is checked to be UTF-8. Default: `utf8`. */
  readonly textEncoding?: 'utf8' | 'unverified';
}
