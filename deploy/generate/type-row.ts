import type { ConnectSchema } from '../../src/core/connect-schema.ts';

/** Settings under `types:` with the values that are not the default. */
export type OtherModes<M> = readonly (readonly [mode: keyof M & string, values: readonly string[]])[];

/**
 * A row of a table of types: what the type becomes by default, and under each setting that makes another of it.
 * @param mark says a setting as the configuration spells it
 * @param schemaOf what the type becomes under these modes; null where it is left out
 */
export function typeRow<M extends object>(
  name: string,
  defaults: M,
  others: OtherModes<M>,
  schemaOf: (modes: M) => ConnectSchema | null,
  mark: (mode: string) => string = (mode) => mode,
): string {
  const describe = (modes: M) => {
    const schema = schemaOf(modes);
    return schema === null ? 'left out' : schemaName(schema);
  };
  const usual = describe(defaults);
  const byResult = new Map<string, string[]>();
  for (const [mode, values] of others) {
    for (const value of values) {
      const result = describe({ ...defaults, [mode]: value });
      if (result === usual) continue;
      byResult.set(result, [...(byResult.get(result) ?? []), `\`${mark(mode)}: ${value}\``]);
    }
  }
  const otherwise = [...byResult].map(([result, modes]) => `${modes.join(', ')}: ${result}`);
  return `| ${name} | ${usual} | ${otherwise.join('<br>')} |`;
}

function schemaName(schema: ConnectSchema): string {
  const parameters = schema.parameters?.map(([key, value]) => `${key}=${value}`).join(', ');
  const name = schema.name === undefined ? '' : ` \`${schema.name}\``;
  const suffix = `${name}${parameters === undefined ? '' : ` (${parameters})`}`;
  if (schema.type === 'array') {
    return `ARRAY${suffix} of ${schema.itemsOptional ? 'optional ' : ''}${schemaName(schema.items)}`;
  }
  if (schema.type === 'map')
    return `MAP${suffix} of ${schema.valuesOptional ? 'optional ' : ''}${schemaName(schema.values)}`;
  if (schema.type === 'struct') return `STRUCT${suffix} {${schema.fields.map((field) => field.name).join(', ')}}`;
  return `${schema.type.toUpperCase()}${suffix}`;
}
