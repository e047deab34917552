import type { SchemaById } from '../verify/topic-source.ts';

/** Asks once for each schema: ids are never used again. */
export function rememberedSchemas(schemaById: SchemaById): SchemaById {
  const known = new Map<number, ReturnType<SchemaById>>();
  return (id) => {
    let schema = known.get(id);
    if (schema === undefined) {
      schema = schemaById(id);
      known.set(id, schema);
    }
    return schema;
  };
}
