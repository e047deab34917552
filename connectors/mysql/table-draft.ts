import { type CatalogColumn, type CatalogTable, catalogTable, type UniqueIndex } from './catalog-column.ts';
import type { DeclaredColumn } from './declared-column.ts';
import { type AddedIndex, indexName } from './declared-index.ts';
import type { DeclarationContext } from './declared-type.ts';

/** A table while statements change it. Every method says whether what was asked for fits the table. */
export class TableDraft {
  defaultCharset: string | null;
  readonly #columns: CatalogColumn[];
  readonly #uniques: UniqueIndex[];
  readonly #givesKeysDefaults: boolean;
  /** Dropped columns that unique indexes had: a new one of the name, in the same statement, takes the place in them. */
  readonly #droppedKeys = new Set<string>();

  constructor(
    from: Pick<CatalogTable, 'columns' | 'uniques' | 'defaultCharset'>,
    { givesKeysDefaults }: Pick<DeclarationContext, 'givesKeysDefaults'>,
  ) {
    this.#givesKeysDefaults = givesKeysDefaults;
    this.defaultCharset = from.defaultCharset;
    this.#columns = [...from.columns];
    this.#uniques = [...from.uniques];
  }

  finish(): CatalogTable {
    const primary = this.#uniques.filter(({ name }) => name === 'PRIMARY');
    const rest = this.#uniques.filter(({ name }) => name !== 'PRIMARY');
    const order = ({ name }: UniqueIndex) => name.toLowerCase();
    rest.sort((one, other) => (order(one) < order(other) ? -1 : 1));
    return catalogTable(this.#columns, [...primary, ...rest], this.defaultCharset);
  }

  has(name: string): boolean {
    return this.#find(name) >= 0;
  }

  column(name: string): CatalogColumn | undefined {
    return this.#columns[this.#find(name)];
  }

  add({ column, isPrimary, isUnique, place }: DeclaredColumn): boolean {
    if (this.#droppedKeys.has(column.name.toLowerCase())) return false;
    if (this.has(column.name) || !this.#insert(column, place, this.#columns.length)) return false;
    const parts = [{ column: column.name, isWhole: true }];
    if (isPrimary && !this.addIndex({ kind: 'primary', name: null, parts })) return false;
    return !isUnique || this.addIndex({ kind: 'unique', name: null, parts });
  }

  replace(name: string, { column, isPrimary, isUnique, place }: DeclaredColumn): boolean {
    const at = this.#find(name);
    // What an index becomes is not said here.
    if (at < 0 || isPrimary || isUnique || this.#droppedKeys.has(column.name.toLowerCase())) return false;
    const old = this.#columns[at] as CatalogColumn;
    const isOther = this.#find(column.name);
    if (isOther >= 0 && isOther !== at) return false;
    this.#columns.splice(at, 1);
    const isKey = this.#uniques.some(
      (index) => index.name === 'PRIMARY' && index.parts.some((part) => part.column === old.name),
    );
    if (isKey && column.nullable && this.#givesKeysDefaults) return false;
    const written = isKey ? { ...column, nullable: false, default: withoutNull(column.default) } : column;
    if (!this.#insert(written, place, at)) return false;
    this.#renameInIndexes(old.name, column.name);
    return true;
  }

  change(name: string, to: Partial<CatalogColumn>): boolean {
    const at = this.#find(name);
    if (at < 0) return false;
    this.#columns[at] = { ...(this.#columns[at] as CatalogColumn), ...to };
    return true;
  }

  rename(from: string, to: string): boolean {
    const at = this.#find(from);
    const other = this.#find(to);
    if (at < 0 || (other >= 0 && other !== at) || this.#droppedKeys.has(to.toLowerCase())) return false;
    const old = this.#columns[at] as CatalogColumn;
    this.#columns[at] = { ...old, name: to };
    this.#renameInIndexes(old.name, to);
    return true;
  }

  drop(name: string): boolean {
    const at = this.#find(name);
    if (at < 0) return false;
    const [{ name: dropped } = { name }] = this.#columns.splice(at, 1);
    if (this.#uniques.some(({ parts }) => parts.some(({ column }) => column === dropped)))
      this.#droppedKeys.add(dropped.toLowerCase());
    for (const [index, unique] of this.#uniques.entries()) {
      this.#uniques[index] = { ...unique, parts: unique.parts.filter(({ column }) => column !== dropped) };
    }
    for (let index = this.#uniques.length - 1; index >= 0; index--) {
      if (this.#uniques[index]?.parts.length === 0) this.#uniques.splice(index, 1);
    }
    return true;
  }

  addIndex({ kind, name, parts }: AddedIndex): boolean {
    if (kind === 'other') return true;
    const own = this.#own(parts);
    if (own === null) return false;
    if (kind === 'unique') {
      this.#uniques.push({ name: name ?? indexName(own[0]?.column ?? '', this.#uniques), parts: own });
      return true;
    }
    if (this.#uniques.some((index) => index.name === 'PRIMARY')) return false;
    this.#uniques.push({ name: 'PRIMARY', parts: own });
    for (const { column } of own) {
      const at = this.#find(column ?? '');
      const old = this.#columns[at] as CatalogColumn;
      if (old.nullable && this.#givesKeysDefaults) return false;
      this.#columns[at] = { ...old, nullable: false, default: withoutNull(old.default) };
    }
    return true;
  }

  /** An index that is not unique is not known here, so there may be none to drop. */
  dropIndex(name: string): void {
    const at = this.#uniques.findIndex((index) => index.name.toLowerCase() === name.toLowerCase());
    if (at >= 0) this.#uniques.splice(at, 1);
  }

  dropPrimary(): boolean {
    const at = this.#uniques.findIndex(({ name }) => name === 'PRIMARY');
    if (at >= 0) this.#uniques.splice(at, 1);
    return at >= 0;
  }

  renameIndex(from: string, to: string): void {
    const at = this.#uniques.findIndex((index) => index.name.toLowerCase() === from.toLowerCase());
    if (at >= 0) this.#uniques[at] = { ...(this.#uniques[at] as UniqueIndex), name: to };
  }

  /** Names of columns have no case. */
  #find(name: string): number {
    const wanted = name.toLowerCase();
    return this.#columns.findIndex((column) => column.name.toLowerCase() === wanted);
  }

  #insert(column: CatalogColumn, place: DeclaredColumn['place'], otherwise: number): boolean {
    let at = otherwise;
    if (place !== null) at = place.after === null ? 0 : this.#find(place.after) + 1;
    if (place !== null && place.after !== null && at === 0) return false;
    this.#columns.splice(at, 0, column);
    return true;
  }

  #renameInIndexes(from: string, to: string): void {
    for (const [index, unique] of this.#uniques.entries()) {
      const parts = unique.parts.map((part) => (part.column === from ? { ...part, column: to } : part));
      this.#uniques[index] = { ...unique, parts };
    }
  }

  /** The parts with the names as the columns have them; null where there is no such column. */
  #own(parts: UniqueIndex['parts']): UniqueIndex['parts'] | null {
    const own = parts.map((part) => ({ ...part, column: this.column(part.column ?? '')?.name ?? null }));
    return own.every(({ column }) => column !== null) ? own : null;
  }
}

/** The primary key has no NULL to begin with: MariaDB does not tell it as a default any more. */
function withoutNull(standard: string | null): string | null {
  return standard === 'NULL' ? null : standard;
}
