import { compilePattern } from '../config/pattern.ts';
import { UsageError } from './exit-code.ts';

/** `orders` means the table in any schema, `public\.orders` and `public.orders` that of one. */
export function tablePattern(text: string): RegExp {
  const pattern = compilePattern(text.includes('.') ? text : `(?:.*\\.)?${text}`);
  if (pattern !== null) return pattern;
  throw new UsageError(`--table ${text} is not a regular expression`, 'Write --table public.orders, for example.');
}
