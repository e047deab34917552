import type { ConnectField, ConnectScalar, ConnectSchema, ConnectStruct } from '../../src/core/connect-schema.ts';
import { type ExactJson, type ExactNumber, parseExactJson } from './exact-json.ts';
import { writeExactJson } from './write-exact-json.ts';

type Json = { readonly [name: string]: ExactJson };

const SCALARS: Readonly<Record<string, ConnectScalar['type']>> = {
  int: 'int32',
  long: 'int64',
  float: 'float32',
  double: 'float64',
  boolean: 'boolean',
  string: 'string',
  bytes: 'bytes',
};

/** Reads the Avro text of a record back into the Connect schema that AvroData made it from. */
export function readAvroSchema(text: string): ConnectStruct {
  return new Reader().type(parseExactJson(text), '') as ConnectStruct;
}

class Reader {
  readonly #named = new Map<string, ConnectStruct>();

  type(json: ExactJson, namespace: string): ConnectSchema {
    if (typeof json === 'string') {
      const scalar = SCALARS[json];
      if (scalar !== undefined) return { type: scalar };
      const struct = this.#named.get(json.includes('.') ? json : `${namespace}.${json}`);
      if (struct === undefined) throw new Error(`unknown type ${json}`);
      return struct;
    }
    const object = json as Json;
    switch (object.type) {
      case 'record':
        return this.#record(object, namespace);
      case 'array': {
        const { schema, optional } = this.#union(object.items!, namespace);
        return { type: 'array', items: schema, itemsOptional: optional, ...attributes(object) };
      }
      case 'map': {
        const { schema, optional } = this.#union(object.values!, namespace);
        return { type: 'map', values: schema, valuesOptional: optional, ...attributes(object) };
      }
      default: {
        const type = (object['connect.type'] ?? SCALARS[object.type as string]) as ConnectScalar['type'];
        return { type, ...attributes(object) };
      }
    }
  }

  #record(object: Json, outer: string): ConnectStruct {
    const namespace = (object.namespace as string | undefined) ?? outer;
    const fields: ConnectField[] = [];
    const name = `${namespace}.${object.name as string}`;
    const struct: ConnectStruct = { type: 'struct', ...attributes(object), name, fields };
    this.#named.set(name, struct);
    for (const field of object.fields as readonly Json[]) fields.push(this.#field(field, namespace));
    return struct;
  }

  #field(field: Json, namespace: string): ConnectField {
    const { schema, optional } = this.#union(field.type!, namespace);
    const value = field.default;
    return {
      name: field.name as string,
      schema,
      optional,
      ...(value === undefined || value === null
        ? {}
        : { default: { write: (out) => writeExactJson(out, schema, value, 'latin1') } }),
    };
  }

  #union(json: ExactJson, namespace: string): { schema: ConnectSchema; optional: boolean } {
    if (!Array.isArray(json)) return { schema: this.type(json, namespace), optional: false };
    const branch = json.find((candidate: ExactJson) => candidate !== 'null');
    return { schema: this.type(branch, namespace), optional: true };
  }
}

function attributes(object: Json): Partial<Pick<ConnectStruct, 'name' | 'version' | 'doc' | 'parameters'>> {
  const parameters = object['connect.parameters'] as Json | undefined;
  const version = object['connect.version'];
  return {
    ...(object['connect.name'] === undefined ? {} : { name: object['connect.name'] as string }),
    ...(version === undefined ? {} : { version: Number((version as ExactNumber).text) }),
    ...(object['connect.doc'] === undefined ? {} : { doc: object['connect.doc'] as string }),
    ...(parameters === undefined ? {} : { parameters: Object.entries(parameters) as [string, string][] }),
  };
}
