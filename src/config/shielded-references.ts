/*
 * `{ password: ${PASSWORD} }` is what everybody writes first, and no YAML: inside braces, a brace ends an unquoted text.
 * So the characters of a reference that mean something to YAML are swapped for noncharacters while the file is parsed, one
 * for one, so that lines and columns stay what they are.
 */

const SPECIAL = '{}[],:#&*!|>%@`?';
/** U+FDD0 and what follows are reserved for such use inside of a program and are never text. */
const SHIELD = 0xfdd0;

const shieldOf = new Map(Array.from(SPECIAL, (character, index) => [character, String.fromCharCode(SHIELD + index)]));
const characterOf = new Map(Array.from(shieldOf, ([character, shield]) => [shield, character]));

const SHIELDS = /[\ufdd0-\ufddf]/g;

/** Null where the file has noncharacters of its own, or escapes for them: it is parsed as it is then. */
export function shieldReferences(yaml: string): string | null {
  if (/[\ufdd0-\ufddf]|\\uFDD/i.test(yaml)) return null;
  return yaml.replace(/\$\{[^{}\n]*\}/g, (reference) =>
    reference.replace(/./g, (character) => shieldOf.get(character) ?? character),
  );
}

export function unshield(text: string): string {
  return text.replace(SHIELDS, (shield) => characterOf.get(shield) ?? shield);
}

/** Gives every text and every name in a parsed document its own characters back. */
export function unshieldAll(value: unknown): unknown {
  if (typeof value === 'string') return unshield(value);
  if (Array.isArray(value)) return value.map(unshieldAll);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [unshield(name), unshieldAll(item)]));
}
