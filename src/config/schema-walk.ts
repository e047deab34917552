import { z } from 'zod';

/** What stands inside defaults, optional marks and transformations: an object, an array, or a single setting. */
export function innerSchema(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional' || def.type === 'prefault' || def.type === 'default') return innerSchema(def.innerType);
  if (def.type !== 'pipe') return schema;
  // `preprocess` has its function first, `transform` has it last.
  const first = (def.in as z.core.$ZodTypes)._zod.def;
  return first.type === 'transform' ? innerSchema(def.out) : innerSchema(def.in);
}

/** The names of the settings in the section at `path`; empty where there is no section. */
export function settingNames(schema: z.core.$ZodType, path: readonly PropertyKey[]): readonly string[] {
  let inner = innerSchema(schema);
  for (const step of path) {
    const next =
      inner instanceof z.ZodObject
        ? inner.shape[String(step)]
        : inner instanceof z.ZodArray
          ? inner.element
          : undefined;
    if (next === undefined) return [];
    inner = innerSchema(next);
  }
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}
