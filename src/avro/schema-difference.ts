interface AvroField {
  readonly name: string;
  readonly type: unknown;
  readonly default?: unknown;
}

/** The rest of a rewritten table adds nothing. */
const MAX_SENTENCES = 10;

/**
 * What differs between the row fields of two versions of a key or an envelope, a sentence each, for an operator: registries
 * name the place of an incompatibility by index, or not at all.
 */
export function describeDifference(oldSchema: string, newSchema: string): readonly string[] {
  const before = rowFields(oldSchema);
  const after = rowFields(newSchema);
  const sentences: string[] = [];
  for (const [name, field] of after) {
    const old = before.get(name);
    if (old === undefined) sentences.push(`field ${name} is new${'default' in field ? '' : ' and has no default'}`);
    else if (JSON.stringify(old.type) !== JSON.stringify(field.type)) {
      const [was, is] = [typeName(old.type), typeName(field.type)];
      sentences.push(
        was === is ? `field ${name} (${is}) has other parameters` : `field ${name} was ${was} and is ${is}`,
      );
    }
  }
  for (const name of before.keys()) if (!after.has(name)) sentences.push(`field ${name} is gone`);
  return sentences.slice(0, MAX_SENTENCES);
}

/** The fields of the row in an envelope; of a key, its own. */
function rowFields(schema: string): ReadonlyMap<string, AvroField> {
  const record = JSON.parse(schema) as { readonly fields?: readonly AvroField[] };
  const before = record.fields?.find(({ name }) => name === 'before');
  const row = Array.isArray(before?.type) ? before.type.find((branch) => Array.isArray(branch?.fields)) : undefined;
  const fields: readonly AvroField[] = row?.fields ?? record.fields ?? [];
  return new Map(fields.map((field) => [field.name, field]));
}

function typeName(type: unknown): string {
  if (Array.isArray(type)) {
    const names = type.filter((branch) => branch !== 'null').map(typeName);
    return type.includes('null') ? `${names.join(' or ')} (optional)` : names.join(' or ');
  }
  if (typeof type !== 'object' || type === null) return String(type);
  const { type: base, 'connect.name': name } = type as Record<string, unknown>;
  const plain = typeName(base);
  return typeof name === 'string' && name !== '' ? `${plain} ${name}` : plain;
}
