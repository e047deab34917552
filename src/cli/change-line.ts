import type { Operation } from '../core/encoder.ts';

/** One change as a person reads it. Values are plain: numbers, bigints, strings, booleans, null, bytes, arrays, objects. */
export interface LiveChange {
  /** When it was committed, milliseconds since 1970. */
  readonly atMs: number;
  readonly op: Operation;
  /** `schema.table`. */
  readonly table: string;
  readonly key: Row | null;
  readonly before: Row | null;
  readonly after: Row | null;
}

export type Row = Readonly<Record<string, unknown>>;

/** Longest value on a line for people, in characters; JSON lines are never cut. */
const LONGEST_VALUE = 60;

const COLOURS: Readonly<Record<Operation, string>> = { c: '32', u: '33', d: '31', r: '36', t: '35', m: '34' };

/**
 * The columns worth showing: those that differ from `before`, or all of `after` without the key when there is no
 * `before`. A deletion shows nothing but its key, or the old row when it has no key.
 */
export function changedColumns(change: LiveChange): Row {
  const row = change.after ?? (change.key === null ? change.before : null) ?? {};
  const names = Object.keys(row).filter((name) => {
    if (change.after !== null && change.before !== null) return !same(change.before[name], change.after[name]);
    return change.key === null || !Object.hasOwn(change.key, name);
  });
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

/** `time op schema.table key changed columns` on one line, safe to print on a terminal whatever the values hold. */
export function renderChangeLine(change: LiveChange, options: { readonly colour: boolean }): string {
  const before = change.after === null ? null : change.before;
  const columns = Object.entries(changedColumns(change)).map(([name, value]) =>
    before === null
      ? `${printable(name)}=${shorten(value)}`
      : `${printable(name)}: ${shorten(before[name])} → ${shorten(value)}`,
  );
  const key = change.key === null ? '-' : Object.entries(change.key).map(([n, v]) => `${printable(n)}=${shorten(v)}`);
  const op = options.colour ? `\u001b[${COLOURS[change.op]}m${change.op}\u001b[0m` : change.op;
  return [timeOf(change), op, printable(change.table), key, columns.join(', ')].join(' ').trimEnd();
}

/** The same change as one line of JSON, nothing cut; a 64-bit integer is an exact JSON number, bytes are base64. */
export function changeAsJson(change: LiveChange): string {
  const { op, table, key, before, after } = change;
  const time = new Date(change.atMs).toISOString();
  return JSON.stringify({ time, op, table, key, before, after, changed: Object.keys(changedColumns(change)) }, exact);
}

/** A value as JSON in the same way. `indent`: spaces of a level, none when missing. */
export function exactJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, exact, indent);
}

function timeOf(change: LiveChange): string {
  return new Date(change.atMs).toISOString().slice(11, 23);
}

function same(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || JSON.stringify(a, exact) === JSON.stringify(b, exact);
}

function shorten(value: unknown): string {
  if (value === undefined) return '?';
  const text = typeof value === 'string' ? value : (JSON.stringify(value, exact) ?? String(value));
  const characters = Array.from(text.length > 4 * LONGEST_VALUE ? text.slice(0, 4 * LONGEST_VALUE) : text);
  const cut = characters.length > LONGEST_VALUE ? `${characters.slice(0, LONGEST_VALUE).join('')}…` : text;
  return typeof value === 'string' && (cut === '' || /[\s=,"]/.test(cut)) ? `"${printable(cut)}"` : printable(cut);
}

/** A value may hold escape sequences that would reprogram the terminal: control and direction characters are spelt out. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const spelt = JSON.stringify(character).slice(1, -1);
    return spelt === character ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}` : spelt;
  });
}

function exact(this: unknown, name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(value.toString());
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  // Buffer has a toJSON of its own, which JSON.stringify calls before the replacer.
  const original = (this as Record<string, unknown>)[name];
  return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : value;
}

/** JSON.rawJSON is in Node since 21 and not yet in TypeScript's library. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
