import { type ExactJson, ExactNumber } from './exact-json.ts';
import type { Plain } from './plain-writer.ts';

/** Whether a value of a golden's decoded JSON is the value that a `PlainWriter` built. */
export function equalsGolden(golden: ExactJson, ours: Plain): boolean {
  if (golden instanceof ExactNumber) {
    if (typeof ours === 'bigint') return golden.text === String(ours);
    return typeof ours === 'number' && Object.is(Number(golden.text), ours);
  }
  if (Array.isArray(golden)) {
    return (
      Array.isArray(ours) && ours.length === golden.length && golden.every((item, i) => equalsGolden(item, ours[i]!))
    );
  }
  if (typeof golden === 'object' && golden !== null) {
    if (typeof ours !== 'object' || ours === null || Array.isArray(ours)) return false;
    const object = ours as { readonly [name: string]: Plain };
    const fields = golden as { readonly [name: string]: ExactJson };
    const names = Object.keys(fields);
    if (names.length !== Object.keys(object).length) return false;
    return names.every((name) => name in object && equalsGolden(fields[name]!, object[name]!));
  }
  return golden === ours;
}

export function showPlain(value: Plain | undefined): string {
  return JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}` : item)) ?? 'nothing';
}
