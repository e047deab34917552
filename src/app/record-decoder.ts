import { avroDecoder } from '../avro/avro-decoder.ts';
import { AvroDecodeError } from '../avro/avro-reader.ts';
import { READABLE_VALUES } from '../avro/readable-values.ts';
import type { RegisteredSchema } from '../avro/registry-client.ts';
import { textOrBytes } from './message-content.ts';

type Decode = (bytes: Buffer, start: number) => unknown;

/** Before the Avro bytes: a zero byte and the schema id. */
const FRAME_BYTES = 5;

/** Decodes keys and values in Confluent's wire format by the schemas of a registry; other bytes are text or stay bytes. */
export class RecordDecoder {
  readonly #schemaById: (id: number) => Promise<RegisteredSchema | null>;
  readonly #decoders = new Map<number, Promise<Decode>>();

  constructor(schemaById: (id: number) => Promise<RegisteredSchema | null>) {
    this.#schemaById = schemaById;
  }

  /** @throws AvroDecodeError where the bytes, or their schema, are not what they say; what asking for the schema throws. */
  async decode(bytes: Buffer | null): Promise<unknown> {
    if (bytes === null) return null;
    if (bytes.length < FRAME_BYTES || bytes[0] !== 0) return plain(bytes);
    const decode = await this.#decoder(bytes.readUInt32BE(1));
    return decode(bytes, FRAME_BYTES);
  }

  #decoder(id: number): Promise<Decode> {
    let decoder = this.#decoders.get(id);
    if (decoder === undefined) {
      decoder = this.#compile(id);
      this.#decoders.set(id, decoder);
    }
    return decoder;
  }

  async #compile(id: number): Promise<Decode> {
    const schema = await this.#schemaById(id);
    if (schema === null) throw new AvroDecodeError(`the registry has no schema ${id}`);
    if (schema.type !== 'AVRO') throw new AvroDecodeError(`schema ${id} is of type ${schema.type}, not Avro`);
    return avroDecoder(schema.text, READABLE_VALUES);
  }
}

/** JSON as what it holds: the daemon's own internal topics and dead letters are JSON. */
function plain(bytes: Buffer): unknown {
  const text = textOrBytes(bytes);
  if (typeof text !== 'string' || !/^\s*[{[]/.test(text)) return text;
  try {
    return JSON.parse(text);
  } catch {
    // Text that only looked like JSON.
    return text;
  }
}
