import type { GrowingBytes } from '../core/growing-bytes.ts';
import type { AvroCursor } from './avro-cursor.ts';
import { AvroDecodeError } from './avro-reader.ts';

/** Steps over a value, appending its comparable form to `out`; null: only steps over it. */
export type Take = (input: AvroCursor, out: GrowingBytes | null) => void;

/** Rewrites texts of a semantic type before they are compared, by `connect.name`. */
export type ComparableTexts = ReadonlyMap<string, (text: string) => string>;

export interface RecordField {
  readonly name: string;
  readonly take: Take;
}

export interface CompiledRecord {
  readonly fields: readonly RecordField[];
}

type SchemaObject = Readonly<Record<string, unknown>>;

const MAX_NESTING = 200;
const CANONICAL_NAN = Buffer.from(Float64Array.of(Number.NaN).buffer);

/**
 * Compiles an Avro schema into functions that bring values into a form in which the same value has the same bytes, whatever
 * schema it was written with: of an optional value nothing but whether it is there, int and long alike, float as double,
 * text as bytes, arrays in one block, maps in the order of their keys.
 * @throws AvroDecodeError where the text is no Avro schema; so do the functions where bytes are no value of it.
 */
export class ComparableSchema {
  readonly #texts: ComparableTexts;
  readonly #named = new Map<string, { take: Take; record: CompiledRecord | null }>();
  readonly root: unknown;
  #nesting = 0;

  constructor(schemaText: string, texts: ComparableTexts = new Map()) {
    this.#texts = texts;
    this.root = parse(schemaText);
  }

  /** The fields of the record that is the whole schema. */
  rootRecord(): CompiledRecord {
    return this.record(this.root, '');
  }

  /** The fields of a record type, defined here or before. */
  record(schema: unknown, namespace: string): CompiledRecord {
    if (typeof schema === 'string') {
      const known = this.#find(schema, namespace).record;
      if (known !== null) return known;
    } else if (isObject(schema) && schema.type === 'record') {
      this.#record(schema, namespace);
      return this.#find(fullNameOf(schema, namespace), '').record!;
    }
    throw new AvroDecodeError('the schema is not that of a record');
  }

  /** A value that may be null in one schema and not in another: one byte that says whether it is there, then the value. */
  slot(schema: unknown, namespace: string): Take {
    if (Array.isArray(schema)) return this.#union(schema, namespace);
    if (schema === 'null') return (_input, out) => out?.byte(ABSENT);
    const take = this.#type(schema, namespace);
    return (input, out) => {
      out?.byte(PRESENT);
      take(input, out);
    };
  }

  #union(branches: readonly unknown[], namespace: string): Take {
    const slots = branches.map((branch) => this.slot(branch, namespace));
    const optional = branches.length <= 2 && branches.includes('null');
    return (input, out) => {
      const branch = input.integer();
      const slot = slots[branch];
      if (slot === undefined) throw new AvroDecodeError('a union has no such branch');
      // Which of several types it is belongs to the value; Connect never writes such unions.
      if (!optional && branches[branch] !== 'null') out?.byte(SEVERAL + branch);
      slot(input, out);
    };
  }

  #type(schema: unknown, namespace: string): Take {
    if (typeof schema === 'string') return PRIMITIVES[schema] ?? this.#reference(schema, namespace);
    if (!isObject(schema)) throw new AvroDecodeError('a type in the schema is neither name nor object nor list');
    const rewrite = this.#texts.get(String(schema['connect.name']));
    if (rewrite !== undefined && schema.type === 'string') return rewritten(rewrite);
    switch (schema.type) {
      case 'record':
      case 'error':
        return this.#record(schema, namespace);
      case 'enum':
        return this.#name(schema, namespace, enumTake(schema));
      case 'fixed':
        return this.#name(schema, namespace, fixedTake(schema.size));
      case 'array':
        return arrayTake(this.slot(schema.items, namespace));
      case 'map':
        return mapTake(this.slot(schema.values, namespace));
      default:
        return this.#type(schema.type, namespace);
    }
  }

  #record(schema: SchemaObject, outerNamespace: string): Take {
    const fullName = fullNameOf(schema, outerNamespace);
    const namespace = fullName.slice(0, Math.max(fullName.lastIndexOf('.'), 0));
    const fields: RecordField[] = [];
    const take: Take = (input, out) => {
      // A value of a recursive type must not exhaust the stack.
      if (++this.#nesting > MAX_NESTING) throw new AvroDecodeError(`values are nested deeper than ${MAX_NESTING}`);
      for (const field of fields) field.take(input, out);
      this.#nesting -= 1;
    };
    this.#named.set(fullName, { take, record: { fields } });
    if (!Array.isArray(schema.fields)) throw new AvroDecodeError(`the record ${fullName} has no fields`);
    for (const field of schema.fields as unknown[]) {
      if (!isObject(field) || typeof field.name !== 'string') {
        throw new AvroDecodeError(`a field of the record ${fullName} has no name`);
      }
      fields.push({ name: field.name, take: this.slot(field.type, namespace) });
    }
    return take;
  }

  /** To be called before a value is taken: an error may have left the last one in the middle. */
  reset(): void {
    this.#nesting = 0;
  }

  #name(schema: SchemaObject, namespace: string, take: Take): Take {
    this.#named.set(fullNameOf(schema, namespace), { take, record: null });
    return take;
  }

  #reference(name: string, namespace: string): Take {
    const holder = this.#find(name, namespace);
    return (input, out) => holder.take(input, out);
  }

  #find(name: string, namespace: string): { take: Take; record: CompiledRecord | null } {
    const inNamespace = name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
    const found = this.#named.get(inNamespace) ?? this.#named.get(name);
    if (found === undefined) throw new AvroDecodeError(`the schema names the type ${name} and does not define it`);
    return found;
  }
}

export const ABSENT = 0;
export const PRESENT = 1;
const SEVERAL = 16;

const sized: Take = (input, out) => {
  const from = input.at;
  input.skipSized();
  out?.append(input.bytes, from, input.at);
};

const varint: Take = (input, out) => {
  const from = input.at;
  input.skipVarint();
  out?.append(input.bytes, from, input.at);
};

const PRIMITIVES: Readonly<Record<string, Take>> = {
  null: () => {},
  boolean: (input, out) => {
    const byte = input.byte();
    if (byte > 1) throw new AvroDecodeError(`a boolean is ${byte}`);
    out?.byte(byte);
  },
  int: varint,
  long: varint,
  float: (input, out) => {
    const at = input.skip(4);
    if (out !== null) appendDouble(input.bytes.readFloatLE(at), out);
  },
  double: (input, out) => {
    const at = input.skip(8);
    if (out !== null) appendDouble(input.bytes.readDoubleLE(at), out);
  },
  bytes: sized,
  string: sized,
};

function appendDouble(value: number, out: GrowingBytes): void {
  if (Number.isNaN(value)) {
    out.append(CANONICAL_NAN, 0, CANONICAL_NAN.length);
    return;
  }
  out.reserve(8);
  out.length = out.bytes.writeDoubleLE(value, out.length);
}

function rewritten(rewrite: (text: string) => string): Take {
  return (input, out) => {
    const start = input.skipSized();
    if (out === null) return;
    appendSized(Buffer.from(rewrite(input.bytes.toString('utf8', start, input.at)), 'utf8'), out);
  };
}

function appendSized(bytes: Buffer, out: GrowingBytes): void {
  let rest = bytes.length * 2;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.byte((rest & 0x7f) | 0x80);
  out.byte(rest);
  out.append(bytes, 0, bytes.length);
}

function enumTake({ symbols }: SchemaObject): Take {
  if (!Array.isArray(symbols)) throw new AvroDecodeError('an enum has no symbols');
  return (input, out) => {
    const symbol: unknown = symbols[input.integer()];
    if (typeof symbol !== 'string') throw new AvroDecodeError('an enum has no such symbol');
    if (out !== null) appendSized(Buffer.from(symbol, 'utf8'), out);
  };
}

function fixedTake(size: unknown): Take {
  if (!Number.isInteger(size)) throw new AvroDecodeError('the size of a fixed type is not a whole number');
  return (input, out) => {
    const at = input.skip(size as number);
    if (out !== null) appendSized(input.bytes.subarray(at, input.at), out);
  };
}

function arrayTake(item: Take): Take {
  return (input, out) => {
    input.blocks(() => {
      out?.byte(PRESENT);
      item(input, out);
    });
    out?.byte(ABSENT);
  };
}

/** Writers give the entries of a map in any order. */
function mapTake(value: Take): Take {
  return (input, out) => {
    if (out === null) {
      input.blocks(() => {
        input.skipSized();
        value(input, null);
      });
      return;
    }
    const first = out.length;
    const entries: { key: string; start: number; end: number }[] = [];
    input.blocks(() => {
      const start = out.length;
      out.byte(PRESENT);
      const lengthAt = input.at;
      const keyAt = input.skipSized();
      const key = input.bytes.toString('latin1', keyAt, input.at);
      out.append(input.bytes, lengthAt, input.at);
      value(input, out);
      entries.push({ key, start, end: out.length });
    });
    const unsorted = Buffer.from(out.bytes.subarray(first, out.length));
    out.length = first;
    entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    for (const { start, end } of entries) out.append(unsorted, start - first, end - first);
    out.byte(ABSENT);
  };
}

function fullNameOf(schema: SchemaObject, outerNamespace: string): string {
  const { name, namespace = outerNamespace } = schema;
  if (typeof name !== 'string' || typeof namespace !== 'string') throw new AvroDecodeError('a type has no name');
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

export function isObject(value: unknown): value is SchemaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parse(schemaText: string): unknown {
  try {
    return JSON.parse(schemaText);
  } catch (error) {
    throw new AvroDecodeError('the schema is not JSON', { cause: error });
  }
}
