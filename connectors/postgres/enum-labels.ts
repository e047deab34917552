import type { PgType } from './pg-type.ts';
import { CellTag, readInt32 } from './protocol/tuple.ts';
import type { ColumnFacts, RelationFacts } from './relation-facts.ts';

const OPEN_BRACE = 0x7b;

/*
 * A label that is added to an enum is in the catalog and in rows, but nothing in the log announces it: Postgres sends no
 * new Relation message. So rows are looked through for labels that their table version does not list.
 */

/** A column whose values are labels of an enum, or arrays of them. */
export interface EnumColumn {
  /** Place in the Relation message. */
  readonly column: number;
  readonly isArray: boolean;
  readonly labels: readonly Buffer[];
}

export interface MetLabel {
  readonly column: number;
  readonly label: string;
}

/** Null where the relation has none. */
export function enumColumns(facts: RelationFacts): readonly EnumColumn[] | null {
  const found: EnumColumn[] = [];
  facts.columns.forEach(({ type }, column) => {
    const inner = enumIn(type);
    if (inner === null) return;
    const labels = inner.labels.map((label) => Buffer.from(label, 'utf8'));
    found.push({ column, isArray: elementOf(type) !== null, labels });
  });
  return found.length === 0 ? null : found;
}

/**
 * The first label in a row image (TupleData, already checked) that its column does not have.
 * @param start where the image's column count lies
 */
export function unknownLabel(bytes: Buffer, start: number, columns: readonly EnumColumn[]): MetLabel | null {
  let at = start + 2;
  let column = 0;
  for (const wanted of columns) {
    for (; column < wanted.column; column++) at = afterCell(bytes, at);
    if (bytes[at] !== CellTag.text) continue;
    const from = at + 5;
    const end = from + readInt32(bytes, at + 1);
    const label = wanted.isArray ? unknownElement(bytes, from, end, wanted) : unknownScalar(bytes, from, end, wanted);
    if (label !== null) return { column: wanted.column, label };
  }
  return null;
}

/** The same facts with labels that the log had. Those that the catalog has no more, having renamed them, come last. */
export function withLabels(facts: RelationFacts, met: readonly MetLabel[]): RelationFacts {
  if (met.length === 0) return facts;
  const columns = facts.columns.map((column, index): ColumnFacts => {
    const labels = met.filter((label) => label.column === index).map(({ label }) => label);
    return labels.length === 0 ? column : { ...column, type: typeWith(column.type, labels) };
  });
  return { ...facts, columns };
}

export function hasLabels(facts: RelationFacts, met: readonly MetLabel[]): boolean {
  return met.every(({ column, label }) => {
    const type = facts.columns[column]?.type;
    return type === undefined || (enumIn(type)?.labels.includes(label) ?? true);
  });
}

function afterCell(bytes: Buffer, at: number): number {
  return bytes[at] === CellTag.text ? at + 5 + readInt32(bytes, at + 1) : at + 1;
}

function unknownScalar(bytes: Buffer, start: number, end: number, { labels }: EnumColumn): string | null {
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (label.length === end - start && label.compare(bytes, start, end) === 0) return null;
  }
  return bytes.toString('utf8', start, end);
}

/** Elements of an array in text form, behind its bounds: plain, or quoted with backslashes before quotes and backslashes. */
const ELEMENT = /"((?:[^"\\]|\\[\s\S])*)"|[^{},"]+/g;

function unknownElement(bytes: Buffer, start: number, end: number, { labels }: EnumColumn): string | null {
  const array = bytes.toString('utf8', bytes.indexOf(OPEN_BRACE, start), end);
  for (const [plain, quoted] of array.matchAll(ELEMENT)) {
    if (quoted === undefined && plain.toUpperCase() === 'NULL') continue;
    const label = quoted?.replace(/\\([\s\S])/g, '$1') ?? plain;
    if (!labels.some((known) => known.toString('utf8') === label)) return label;
  }
  return null;
}

/** The enum that a type is, is a domain over, or is an array of. */
function enumIn(type: PgType): PgType | null {
  if (type.kind === 'enum') return type;
  const inner = type.base?.type ?? type.element;
  return inner === null ? null : enumIn(inner);
}

function elementOf(type: PgType): PgType | null {
  return type.base === null ? type.element : elementOf(type.base.type);
}

function typeWith(type: PgType, labels: readonly string[]): PgType {
  if (type.kind === 'enum') return { ...type, labels: [...new Set([...type.labels, ...labels])] };
  if (type.base !== null) return { ...type, base: { ...type.base, type: typeWith(type.base.type, labels) } };
  return type.element === null ? type : { ...type, element: typeWith(type.element, labels) };
}
