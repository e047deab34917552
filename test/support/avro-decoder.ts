import avro from 'avsc';
import { EXACT_LONG } from '../../deploy/local/avsc-exact-long.ts';
import { registryUrl } from './services.ts';

/** Decodes Confluent wire format (0x00, 4-byte schema id, Avro) with avsc, an implementation that is not ours. */
export class AvroDecoder {
  readonly #registry: string;
  readonly #types = new Map<number, Promise<avro.Type>>();

  constructor(registry = registryUrl()) {
    this.#registry = registry;
  }

  /** 64-bit integers come as BigInt, bytes as Buffer, unions as the plain value of the branch. Null for no bytes. */
  async decode(message: Buffer | null): Promise<unknown> {
    if (message === null) return null;
    if (message[0] !== 0) throw new Error(`wire format starts with ${message[0]}, not 0`);
    const type = await this.#type(message.readInt32BE(1));
    return type.fromBuffer(message.subarray(5));
  }

  async #type(id: number): Promise<avro.Type> {
    let type = this.#types.get(id);
    if (type === undefined) {
      type = this.schemaText(id).then(avroType);
      this.#types.set(id, type);
    }
    return type;
  }

  async schemaText(id: number): Promise<string> {
    const response = await fetch(`${this.#registry}/schemas/ids/${id}`, { signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`the registry has no schema ${id}: ${response.status}`);
    return ((await response.json()) as { schema: string }).schema;
  }
}

/**
 * avsc's type for a schema's text, with BigInt for every `long`; its `registry` option would leave out those with properties
 * of their own. Defaults, which play no part in reading and writing, are left out: JSON.parse rounds the large ones.
 */
export function avroType(schema: string): avro.Type {
  const parsed = JSON.parse(schema, (name, value) => (name === 'default' ? undefined : value));
  return avro.Type.forSchema(parsed, {
    typeHook: (attributes) => {
      const type: unknown = typeof attributes === 'string' ? attributes : (attributes as { type?: unknown }).type;
      return type === 'long' ? EXACT_LONG : undefined;
    },
  });
}

export function schemaId(message: Buffer): number {
  return message.readInt32BE(1);
}
