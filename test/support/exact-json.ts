/** A number of a JSON text with all its digits. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type ExactJson =
  | null
  | boolean
  | string
  | ExactNumber
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/** Parses JSON without rounding: every number stays text. */
export function parseExactJson(text: string): ExactJson {
  const reviver = (_key: string, value: unknown, context: { source?: string }): unknown =>
    typeof value === 'number' ? new ExactNumber(context.source!) : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as ExactJson;
}

/** The same JSON text again, numbers as they stood. */
export function printExactJson(value: ExactJson): string {
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(printExactJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([name, field]) => `${JSON.stringify(name)}:${printExactJson(field)}`);
    return `{${pairs.join(',')}}`;
  }
  return JSON.stringify(value);
}
