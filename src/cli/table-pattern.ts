import { compilePattern, patternSource } from '../config/pattern.ts';
import { UsageError } from './exit-code.ts';

/**
 * What `--table` says, matching the whole of `schema.table`: `orders` means the table in any schema, `public\.orders` and
 * `public.orders` that of one.
 * @throws UsageError
 */
export function tablePattern(text: string): RegExp {
  const pattern = compilePattern(text.includes('.') ? text : `(?:.*\\.)?${text}`);
  if (pattern !== null) return pattern;
  throw new UsageError(`--table ${text} is not a regular expression`, 'Write --table public.orders, for example.');
}

/** The text of a pattern, which is anchored by whoever reads it. */
export function tablePatternText(text: string): string {
  return patternSource(tablePattern(text));
}
