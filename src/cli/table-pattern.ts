import { compilePattern, patternSource } from '../config/pattern.ts';
import { UsageError } from './exit-code.ts';

const ANY_SCHEMA = '(?:.*\\.)?';

/** `orders` means the table in any schema, `public\.orders` and `public.orders` that of one. */
export function tablePattern(text: string): RegExp {
  if (text === '') throw new UsageError('--table is empty', 'Write --table public.orders, or leave it out for all.');
  const pattern = compilePattern(text.includes('.') ? text : ANY_SCHEMA + text);
  if (pattern !== null) return pattern;
  throw new UsageError(`--table ${text} is not a regular expression`, 'Write --table public.orders, for example.');
}

/** What a pattern of `tablePattern` was made of. */
export function writtenPattern(pattern: RegExp): string {
  const source = patternSource(pattern);
  return source.startsWith(ANY_SCHEMA) ? source.slice(ANY_SCHEMA.length) : source;
}
