import { closest } from './closest.ts';
import { PATTERN_PROPERTIES, PROPERTIES, type Translation } from './debezium-properties.ts';
import { channelSettings } from './debezium-signals.ts';
import { tablePatterns } from './debezium-tables.ts';
import type { Path, Problem } from './problem.ts';

/** A source's section in our own words, and which property each of its settings came from. */
export interface TranslatedSource {
  readonly section: Record<string, unknown>;
  /** Setting (`slot.name`) → Debezium property (`slot.name`). */
  readonly origins: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/**
 * Puts Debezium's connector properties into our own settings beside those of `section`. A property that has no counterpart
 * is a problem, never dropped; one that says what is always so is accepted with that value only.
 */
export function translateDebezium(properties: unknown, section: Readonly<Record<string, unknown>>): TranslatedSource {
  const problems: Problem[] = [];
  const origins = new Map<string, string>();
  const target = structuredCloneOfPlain(section);
  if (typeof properties !== 'object' || properties === null || Array.isArray(properties)) {
    problems.push({ path: ['debezium'], message: 'is not a section', remedy: 'Write Debezium’s properties below it.' });
    return { section: target, origins, problems };
  }
  const entries = Object.entries(properties);
  for (const [property, value] of entries) {
    const path = ['debezium', property];
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      problems.push({ path, message: 'is not a single value', remedy: 'Write it as Debezium does: one text.' });
      continue;
    }
    const translation = translateProperty(property, String(value).trim());
    if ('problem' in translation) {
      problems.push({ path, message: translation.problem, remedy: translation.remedy });
      continue;
    }
    for (const [setting, translated] of Object.entries(translation.settings)) {
      problems.push(...put(target, setting, translated, property, origins));
    }
  }
  const texts = new Map(entries.map(([property, value]) => [property, String(value).trim()]));
  const channels = channelSettings(texts);
  problems.push(...channels.problems);
  for (const { setting, value, property } of channels.settings) {
    problems.push(...put(target, setting, value, property, origins));
  }
  const tables = tablePatterns(texts);
  problems.push(...tables.problems);
  for (const { setting, patterns, property } of tables.settings) {
    problems.push(...put(target, setting, patterns, property, origins));
  }
  // As in Debezium, the prefix of the topics names the source where nothing else does.
  if (target.name === undefined && target.topic_prefix !== undefined) target.name = target.topic_prefix;
  return { section: target, origins, problems };
}

function translateProperty(property: string, text: string): Translation {
  const translate = PROPERTIES.get(property);
  if (translate !== undefined) return translate(text);
  for (const [form, read] of PATTERN_PROPERTIES) {
    const match = form.exec(property);
    if (match !== null) return read(match.slice(1), text);
  }
  const meant = closest(property, PROPERTIES.keys());
  return {
    problem: 'is not a property with a counterpart here',
    remedy: meant === null ? 'Remove it.' : `Did you mean ${meant}? Else remove it.`,
  };
}

function put(
  target: Record<string, unknown>,
  setting: string,
  value: unknown,
  property: string,
  origins: Map<string, string>,
): Problem[] {
  const steps = setting.split('.');
  const last = steps.pop()!;
  let place = target;
  for (const step of steps) {
    place[step] ??= {};
    // The section is not one: reading it will say so.
    if (typeof place[step] !== 'object' || place[step] === null) return [];
    place = place[step] as Record<string, unknown>;
  }
  const earlier = origins.get(setting);
  if (Array.isArray(value) && Array.isArray(place[last]) && earlier !== undefined) {
    place[last] = [...place[last], ...value];
    return [];
  }
  if (place[last] !== undefined) {
    const other = earlier === undefined ? setting : `"${earlier}"`;
    const path: Path = ['debezium', property];
    return [{ path, message: `is set by ${other} too`, remedy: 'Remove one of the two.' }];
  }
  place[last] = value;
  origins.set(setting, property);
  return [];
}

/** Sections are copied, since translating adds to them; Secrets and other values are kept as they are. */
function structuredCloneOfPlain(section: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(section).map(([name, value]) => {
      const plain = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
      return [name, plain ? structuredCloneOfPlain(value as Record<string, unknown>) : value];
    }),
  );
}
