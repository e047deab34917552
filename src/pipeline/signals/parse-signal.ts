import type { SignalText } from '../../core/signal.ts';
import type { TableFilter } from '../../core/snapshot-control.ts';

/** What an operator asks for, in Debezium's words. */
export type Signal =
  | {
      readonly kind: 'execute';
      /** Never empty. */
      readonly tables: readonly RegExp[];
      readonly filters: readonly TableFilter[];
      readonly isBlocking: boolean;
    }
  /** `tables` null: the whole snapshot. */
  | { readonly kind: 'stop'; readonly tables: readonly string[] | null }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'log'; readonly message: string }
  /** Debezium's own watermarks, where it captured the table before. */
  | { readonly kind: 'window' };

/** Why a signal is none. Never repeats what is in it. */
export interface SignalFault {
  readonly fault: string;
}

/** A pattern that matches a whole qualified name, whatever its case, as Debezium does; null where the text is none. */
export type CompilePattern = (text: string) => RegExp | null;

type Parse = (data: Readonly<Record<string, unknown>>, compile: CompilePattern) => Signal | SignalFault;

const PARSERS: ReadonlyMap<string, Parse> = new Map<string, Parse>([
  ['execute-snapshot', parseExecute],
  ['stop-snapshot', parseStop],
  ['pause-snapshot', () => ({ kind: 'pause' })],
  ['resume-snapshot', () => ({ kind: 'resume' })],
  ['log', parseLog],
  ['snapshot-window-open', () => ({ kind: 'window' })],
  ['snapshot-window-close', () => ({ kind: 'window' })],
]);

/** Reads a signal as Debezium does. */
export function parseSignal({ type, data }: SignalText, compile: CompilePattern): Signal | SignalFault {
  const parse = PARSERS.get(type);
  if (parse === undefined) return { fault: 'its type is not known' };
  const fields = fieldsOf(data);
  return fields === null ? { fault: 'its data is not a JSON object' } : parse(fields, compile);
}

function parseExecute(data: Readonly<Record<string, unknown>>, compile: CompilePattern): Signal | SignalFault {
  const names = textsOf(data['data-collections']);
  if (names === null || names.length === 0) return { fault: 'data-collections is not a list of patterns' };
  const tables = names.map((name) => compile(name.trim()));
  const wrong = tables.indexOf(null);
  if (wrong >= 0) return { fault: `data-collections[${wrong}] is not a valid regular expression` };
  const type = typeOf(data);
  if (type === null) return { fault: 'its snapshot type is neither INCREMENTAL nor BLOCKING' };
  if (isGiven(data['surrogate-key'])) {
    return { fault: 'surrogate-key is not supported: tables are read by their own key' };
  }
  const filters = filtersOf(data, compile);
  if ('fault' in filters) return filters;
  return { kind: 'execute', tables: tables as RegExp[], filters: filters.filters, isBlocking: type === 'BLOCKING' };
}

function parseStop(data: Readonly<Record<string, unknown>>, compile: CompilePattern): Signal | SignalFault {
  if (typeOf(data) === null) return { fault: 'its snapshot type is neither INCREMENTAL nor BLOCKING' };
  const given = data['data-collections'] ?? [];
  const names = textsOf(given);
  if (names === null) return { fault: 'data-collections is not a list of patterns' };
  const wrong = names.findIndex((name) => compile(name.trim()) === null);
  if (wrong >= 0) return { fault: `data-collections[${wrong}] is not a valid regular expression` };
  return { kind: 'stop', tables: names.length === 0 ? null : names.map((name) => name.trim()) };
}

function parseLog({ message }: Readonly<Record<string, unknown>>): Signal | SignalFault {
  if (typeof message !== 'string' || message === '') return { fault: 'message is missing' };
  return { kind: 'log', message };
}

/** `additional-condition`, for all tables, is Debezium's form of before 2.4. */
function filtersOf(
  data: Readonly<Record<string, unknown>>,
  compile: CompilePattern,
): { readonly filters: readonly TableFilter[] } | SignalFault {
  const single = data['additional-condition'];
  if (typeof single === 'string' && single.trim() !== '') return { filters: [{ table: /^.*$/su, filter: single }] };
  const given = data['additional-conditions'] ?? [];
  if (!Array.isArray(given)) return { fault: 'additional-conditions is not a list' };
  const filters: TableFilter[] = [];
  for (const [index, condition] of given.entries()) {
    const { 'data-collection': name, filter } = (condition ?? {}) as Record<string, unknown>;
    const table = typeof name === 'string' && name !== '' ? compile(name.trim()) : null;
    if (table === null) return { fault: `additional-conditions[${index}].data-collection is not a regular expression` };
    if (typeof filter !== 'string' || filter.trim() === '') {
      return { fault: `additional-conditions[${index}].filter is missing` };
    }
    filters.push({ table, filter });
  }
  return { filters };
}

function typeOf({ type }: Readonly<Record<string, unknown>>): 'INCREMENTAL' | 'BLOCKING' | null {
  if (type === undefined || type === null) return 'INCREMENTAL';
  const name = typeof type === 'string' ? type.toUpperCase() : '';
  return name === 'INCREMENTAL' || name === 'BLOCKING' ? name : null;
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

function textsOf(value: unknown): string[] | null {
  if (!Array.isArray(value)) return null;
  return value.every((item) => typeof item === 'string' && item.trim() !== '') ? value : null;
}

/** Null where the text is not a JSON object. No text at all is an empty one. */
function fieldsOf(data: string): Readonly<Record<string, unknown>> | null {
  if (data.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    // Without the parser's message, which quotes the text.
    return null;
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : null;
}
