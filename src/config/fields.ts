import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from '../core/secret.ts';
import { parseByteSize } from './byte-size.ts';
import { closest } from './closest.ts';
import { parseDuration } from './duration.ts';
import { compilePattern } from './pattern.ts';

/*
 * The kinds of values a setting can have. Each reads what YAML or an expanded variable gives (so a number may come as
 * text), and says what is wrong without repeating the value, which may be a secret in the wrong place. What `meta` holds
 * is what editors and the reference page show.
 */

/** Adds a problem to the setting being read, or to `path` below it. */
export function refuse(ctx: z.RefinementCtx, message: string, remedy: string, path: (string | number)[] = []): never {
  ctx.addIssue({ code: 'custom', message, path, params: { remedy } });
  return z.NEVER;
}

type Reader<T> = (value: unknown, ctx: z.RefinementCtx) => T;

function field<T>(json: Record<string, unknown>, kind: string, read: Reader<T>) {
  return z
    .unknown()
    .transform((value, ctx): T => {
      if (value === undefined) return refuse(ctx, 'is required', `Set it to ${kind}.`);
      if (value === null) return refuse(ctx, 'is empty', `Set it to ${kind}, or remove the line.`);
      return read(value, ctx);
    })
    .meta({ ...json, 'x-kind': kind });
}

export interface TextOptions {
  readonly kind?: string;
  readonly pattern?: RegExp;
  readonly empty?: boolean;
}

export function text(options: TextOptions = {}) {
  const kind = options.kind ?? 'text';
  const json = { type: 'string', ...(options.pattern === undefined ? {} : { pattern: options.pattern.source }) };
  return field(json, kind, (value, ctx) => readText(value, ctx, kind, options));
}

function readText(value: unknown, ctx: z.RefinementCtx, kind: string, options: TextOptions = {}): string {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return refuse(ctx, 'must be text', 'Put the value in quotes.');
  }
  if (typeof value !== 'string') return refuse(ctx, 'must be text', `Set it to ${kind}.`);
  if (value === '' && options.empty !== true) return refuse(ctx, 'is empty', `Set it to ${kind}.`);
  if (options.pattern !== undefined && !options.pattern.test(value)) {
    return refuse(ctx, 'has a value that does not fit', `Set it to ${kind}.`);
  }
  return value;
}

/** Text that nothing ever prints. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: this is how a configuration names a variable.
export function secret(kind = 'a secret, best as ${VARIABLE} or ${file:/run/secrets/name}') {
  return field({ type: 'string', writeOnly: true }, kind, (value, ctx): Secret => {
    const read = readText(value, ctx, kind);
    return typeof read === 'string' ? new Secret(read) : read;
  });
}

export function integer(options: { min: number; max: number; not?: readonly number[] }) {
  const kind = `a whole number from ${options.min} to ${options.max}${options.not ? `, not ${options.not.join(', ')}` : ''}`;
  return field({ type: 'integer', minimum: options.min, maximum: options.max }, kind, (value, ctx): number => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    const fits = Number.isSafeInteger(number) && Number(number) >= options.min && Number(number) <= options.max;
    if (!fits || options.not?.includes(Number(number)))
      return refuse(ctx, 'has a value that does not fit', `Set it to ${kind}.`);
    return Number(number);
  });
}

export function flag() {
  return field({ type: 'boolean' }, 'true or false', (value, ctx): boolean => {
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    return refuse(ctx, 'is neither true nor false', 'Set it to true or false, without quotes.');
  });
}

export function choice<const C extends readonly string[]>(values: C) {
  const kind = values.length === 1 ? values[0]! : `one of ${values.join(', ')}`;
  return field({ type: 'string', enum: values }, kind, (value, ctx): C[number] => {
    if (typeof value === 'string' && values.includes(value)) return value;
    const meant = typeof value === 'string' ? closest(value, values) : null;
    const remedy = meant === null ? `Set it to ${kind}.` : `Did you mean ${meant}? It is ${kind}.`;
    return refuse(ctx, 'has a value that is not known', remedy);
  });
}

export function duration(options: { minMs: number; maxMs: number; kind: string }) {
  const kind = `a duration ${options.kind}, such as 500ms, 5s or 10m`;
  const json = { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*(ms|s|m|h|d)$', 'x-unit': 'duration' };
  return field(json, kind, (value, ctx): number => {
    if (typeof value === 'number') return refuse(ctx, 'has no unit', `Set it to ${kind}.`);
    const milliseconds = typeof value === 'string' ? parseDuration(value) : null;
    if (milliseconds === null || milliseconds < options.minMs || milliseconds > options.maxMs) {
      return refuse(ctx, 'has a value that does not fit', `Set it to ${kind}.`);
    }
    return milliseconds;
  });
}

export function byteSize(options: { min: number; max: number; kind: string }) {
  const kind = `a size ${options.kind}, such as 64KiB or 1MiB`;
  return field({ type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*(B|[KMG]iB|[kKMG]B)$' }, kind, (value, ctx): number => {
    if (typeof value === 'number') return refuse(ctx, 'has no unit', `Set it to ${kind}.`);
    const bytes = typeof value === 'string' ? parseByteSize(value) : null;
    if (bytes === null || bytes < options.min || bytes > options.max) {
      return refuse(ctx, 'has a value that does not fit', `Set it to ${kind}.`);
    }
    return bytes;
  });
}

/** A regular expression that has to match the whole of `subject`, such as `schema.table`. */
export function pattern(subject: string) {
  const kind = `a regular expression that matches the whole of ${subject}`;
  return field({ type: 'string', format: 'regex' }, kind, (value, ctx): RegExp => {
    const source = readText(value, ctx, kind);
    if (typeof source !== 'string') return source;
    return (
      compilePattern(source) ??
      refuse(ctx, 'is not a valid regular expression', 'Correct it; a literal dot is written \\\\. inside quotes.')
    );
  });
}

/** The contents of a text file. `load` has made its path absolute. */
export function fileContents() {
  const kind = 'the path of a readable file, relative to this configuration';
  return field({ type: 'string' }, kind, (value, ctx): string => {
    const path = readText(value, ctx, kind);
    if (typeof path !== 'string') return path;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === undefined) throw error;
      return refuse(ctx, `names a file that cannot be read (${code})`, `Set it to ${kind}.`);
    }
  });
}

/** A list; a single value stands for a list of one, and text with commas for several where `commas` is set. */
export function list<T>(item: z.ZodType<T>, options: { min?: number; commas?: boolean } = {}) {
  const kind = options.min === undefined ? 'a list' : 'a list that is not empty';
  return z
    .preprocess(
      (value) => {
        if (options.commas && typeof value === 'string') return value.split(',').map((part) => part.trim());
        return value === undefined || value === null || Array.isArray(value) ? value : [value];
      },
      z.array(item, { error: (issue) => (issue.input === undefined ? 'is required' : 'is empty') }),
    )
    .superRefine((items, ctx) => {
      if (items.length < (options.min ?? 0)) refuse(ctx, 'is empty', `Set it to ${kind}.`);
    })
    .meta({ 'x-kind': kind, 'x-commas': options.commas === true });
}

/** A setting of a later version: accepted by no configuration, so that nobody relies on it in vain. */
export function notBuilt(what: string) {
  return z
    .unknown()
    .transform((value, ctx): undefined => {
      if (value !== undefined) refuse(ctx, `${what} not built yet`, 'Remove this setting.');
    })
    .optional()
    .meta({ 'x-not-built': true, description: `Not built yet: an error when set.` });
}
