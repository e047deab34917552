import { AvroDecodeError, AvroReader } from './avro-reader.ts';
import { javaFloatText } from './java-number-text.ts';

type Read = (input: AvroReader) => unknown;

/** What to make of the values of a type, by its `connect.name`. */
export type Readable = ReadonlyMap<string, (value: unknown) => unknown>;

/**
 * A decoder of values of one schema, given as Avro's JSON text, for people and tools: records are objects, longs bigints,
 * bytes Buffers, decimals text with all their digits, the branches of a union plain values.
 * @throws AvroDecodeError where the text is no Avro schema; so does the decoder where bytes are no value of it.
 */
export function avroDecoder(
  schemaText: string,
  readable: Readable = new Map(),
): (bytes: Buffer, start: number) => unknown {
  const read = new SchemaCompiler(readable).compile(parse(schemaText), '');
  return (bytes, start) => {
    const input = new AvroReader(bytes, start);
    const value = read(input);
    if (input.remaining > 0) throw new AvroDecodeError(`${input.remaining} bytes follow the value`);
    return value;
  };
}

const PRIMITIVES: Readonly<Record<string, Read>> = {
  null: () => null,
  boolean: (input) => input.boolean(),
  int: (input) => input.int(),
  long: (input) => input.long(),
  // The shortest number that is this float: 0.1 and not 0.10000000149011612.
  float: (input) => Number(javaFloatText(input.float())),
  double: (input) => input.double(),
  bytes: (input) => input.bytes(),
  string: (input) => input.text(),
};

type SchemaObject = Readonly<Record<string, unknown>>;

class SchemaCompiler {
  readonly #readable: Readable;
  /** By full name; filled before the fields of a record are compiled, for they may name it. */
  readonly #named = new Map<string, { read: Read }>();

  constructor(readable: Readable) {
    this.#readable = readable;
  }

  compile(schema: unknown, namespace: string): Read {
    if (typeof schema === 'string') return PRIMITIVES[schema] ?? this.#reference(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace);
    if (!isObject(schema)) throw new AvroDecodeError('a type in the schema is neither name nor object nor list');
    const read = this.#object(schema, namespace);
    const convert = this.#readable.get(String(schema['connect.name']));
    return convert === undefined ? read : (input) => convert(read(input));
  }

  #object(schema: SchemaObject, namespace: string): Read {
    switch (schema.type) {
      case 'record':
      case 'error':
        return this.#record(schema, namespace);
      case 'enum':
        return this.#name(schema, namespace, enumReader(schema));
      case 'fixed': {
        const size = wholeNumber(schema.size, 'the size of a fixed type');
        return this.#name(
          schema,
          namespace,
          decimalOr(schema, (input) => input.fixed(size)),
        );
      }
      case 'array': {
        const item = this.compile(schema.items, namespace);
        return (input) => {
          const items: unknown[] = [];
          input.nested(() => input.blocks(() => items.push(item(input))));
          return items;
        };
      }
      case 'map': {
        const value = this.compile(schema.values, namespace);
        return (input) => {
          const entries: [string, unknown][] = [];
          input.nested(() => input.blocks(() => entries.push([input.text(), value(input)])));
          return Object.fromEntries(entries);
        };
      }
      default:
        return decimalOr(schema, this.compile(schema.type, namespace));
    }
  }

  #record(schema: SchemaObject, outerNamespace: string): Read {
    const fullName = fullNameOf(schema, outerNamespace);
    const namespace = fullName.slice(0, Math.max(fullName.lastIndexOf('.'), 0));
    const holder: { read: Read } = { read: () => null };
    this.#named.set(fullName, holder);
    if (!Array.isArray(schema.fields)) throw new AvroDecodeError(`the record ${fullName} has no fields`);
    const fields = schema.fields.map((field: unknown) => {
      if (!isObject(field) || typeof field.name !== 'string') {
        throw new AvroDecodeError(`a field of the record ${fullName} has no name`);
      }
      return { name: field.name, read: this.compile(field.type, namespace) };
    });
    holder.read = (input) =>
      // Defines every name as an own property, `__proto__` too.
      input.nested(() => Object.fromEntries(fields.map(({ name, read }) => [name, read(input)])));
    return holder.read;
  }

  #union(branches: readonly unknown[], namespace: string): Read {
    const reads = branches.map((branch) => this.compile(branch, namespace));
    return (input) => {
      const read = reads[input.int()];
      if (read === undefined) throw new AvroDecodeError('a union has no such branch');
      return read(input);
    };
  }

  #name(schema: SchemaObject, namespace: string, read: Read): Read {
    this.#named.set(fullNameOf(schema, namespace), { read });
    return read;
  }

  #reference(name: string, namespace: string): Read {
    const inNamespace = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const holder = this.#named.get(inNamespace) ?? this.#named.get(name);
    if (holder === undefined) throw new AvroDecodeError(`the schema names the type ${name} and does not define it`);
    return (input) => holder.read(input);
  }
}

function enumReader(schema: SchemaObject): Read {
  const { symbols } = schema;
  if (!Array.isArray(symbols)) throw new AvroDecodeError('an enum has no symbols');
  return (input) => {
    const symbol: unknown = symbols[input.int()];
    if (typeof symbol !== 'string') throw new AvroDecodeError('an enum has no such symbol');
    return symbol;
  };
}

function decimalOr(schema: SchemaObject, read: Read): Read {
  if (schema.logicalType !== 'decimal') return read;
  const scale = wholeNumber(schema.scale ?? 0, 'the scale of a decimal');
  return (input) => {
    const value = read(input);
    return value instanceof Uint8Array ? unscaledText(value, scale) : value;
  };
}

/** The number whose unscaled value is `bytes`, big-endian two's complement, with exactly `scale` fraction digits. */
export function unscaledText(bytes: Uint8Array, scale: number): string {
  const hex = Buffer.from(bytes).toString('hex');
  const value = hex === '' ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const sign = value < 0n ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function fullNameOf(schema: SchemaObject, outerNamespace: string): string {
  const { name, namespace = outerNamespace } = schema;
  if (typeof name !== 'string' || typeof namespace !== 'string') throw new AvroDecodeError('a type has no name');
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function wholeNumber(value: unknown, what: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100_000) return value as number;
  throw new AvroDecodeError(`${what} is not a whole number`);
}

function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(schemaText: string): unknown {
  try {
    return JSON.parse(schemaText);
  } catch (error) {
    throw new AvroDecodeError('the schema is not JSON', { cause: error });
  }
}
