import { z } from 'zod';
import { configurationSchema } from './configuration.ts';
import { innerSchema } from './schema-walk.ts';

/** One setting of `tailrace.yaml`, as the reference page lists it. */
export interface SettingDescription {
  /** Dotted, `[]` standing for the items of a list: `kafka.topics[].match`. */
  readonly path: string;
  readonly depth: number;
  readonly isSection: boolean;
  readonly kind: string;
  readonly description: string;
  readonly required: boolean;
  /** As written in the file; undefined when there is none. */
  readonly standard: unknown;
  readonly isBuilt: boolean;
}

export function describeSettings(): SettingDescription[] {
  return describeSection(configurationSchema, '', 0);
}

function describeSection(section: z.ZodObject, prefix: string, depth: number): SettingDescription[] {
  return Object.entries(section.shape).flatMap(([name, schema]) => {
    const inner = innerSchema(schema);
    const item = inner instanceof z.ZodArray ? innerSchema(inner.element) : inner;
    const path = `${prefix}${name}`;
    const meta = metaOf(schema);
    const isSection = item instanceof z.ZodObject;
    const setting: SettingDescription = {
      path,
      depth,
      isSection,
      kind: kindOf(meta, inner, item),
      description: String(meta.description ?? ''),
      required: standardOf(schema) === undefined && !z.safeParse(schema, undefined).success,
      standard: isSection ? undefined : standardOf(schema),
      isBuilt: meta['x-not-built'] !== true,
    };
    if (!(item instanceof z.ZodObject)) return [setting];
    return [setting, ...describeSection(item, inner instanceof z.ZodArray ? `${path}[].` : `${path}.`, depth + 1)];
  });
}

function kindOf(meta: Record<string, unknown>, inner: z.core.$ZodType, item: z.core.$ZodType): string {
  if (item instanceof z.ZodObject) return inner instanceof z.ZodArray ? 'a list of sections' : 'a section';
  if (inner instanceof z.ZodArray) return `${meta['x-kind']}; each ${metaOf(inner.element)['x-kind']}`;
  return String(meta['x-kind'] ?? 'names with values');
}

/** What the layers around a setting say of it, the outermost first. */
function metaOf(schema: z.core.$ZodType): Record<string, unknown> {
  let meta: Record<string, unknown> = {};
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = layerBelow(at)) {
    meta = { ...z.globalRegistry.get(at), ...meta };
  }
  return meta;
}

function standardOf(schema: z.core.$ZodType): unknown {
  for (let at: z.core.$ZodType | undefined = schema; at !== undefined; at = layerBelow(at)) {
    if (at instanceof z.ZodPrefault) return at.def.defaultValue;
  }
  return undefined;
}

function layerBelow(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) return schema.def.innerType;
  return schema instanceof z.ZodPipe ? schema.def.in : undefined;
}
