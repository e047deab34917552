import assert from 'node:assert/strict';
import type { ConnectSchema } from '../../src/core/connect-schema.ts';
import type { ConstantFragment, NullBranch, ValueWriter } from '../../src/core/value-writer.ts';

/** 64-bit integers are bigints, bytes `0x…`, NaN and infinities their names. */
export type Plain = null | boolean | number | bigint | string | readonly Plain[] | { readonly [name: string]: Plain };

/** Where the next value goes. */
interface Slot {
  readonly schema: ConnectSchema;
  /** Absent or present must be said first. */
  optional: boolean;
  /** What they must say: 1 where the value has a default. */
  readonly nullBranch?: NullBranch;
  put(value: Plain): void;
}

interface Container {
  /** The slot of the next value, or null where something else must come first. */
  slot: Slot | null;
  field?(name: string): Slot;
  mapKey?(key: string): Slot;
  end(kind: 'struct' | 'array' | 'map'): void;
}

/** Builds plain values, and fails where the calls do not follow the schema. */
export class PlainWriter implements ValueWriter {
  #result: Plain | undefined;
  readonly #open: Container[] = [];
  #slot: Slot | null;

  constructor(schema: ConnectSchema) {
    this.#slot = {
      schema,
      optional: false,
      put: (value) => {
        this.#result = value;
        this.#slot = null;
      },
    };
  }

  /** The value; undefined where nothing was written. */
  take(): Plain | undefined {
    assert.equal(this.#open.length, 0, 'everything begun is ended');
    return this.#result;
  }

  absent(nullBranch: NullBranch): void {
    const slot = this.#current();
    assert.equal(nullBranch, slot.nullBranch ?? 0);
    assert.ok(slot.optional, 'only an optional value is absent');
    slot.put(null);
  }

  present(nullBranch: NullBranch): void {
    const slot = this.#current();
    assert.equal(nullBranch, slot.nullBranch ?? 0);
    assert.ok(slot.optional, 'only an optional value is announced');
    slot.optional = false;
  }

  boolean(value: boolean): void {
    this.#put(value, 'boolean');
  }

  int(value: number): void {
    assert.ok(Object.is(value, value | 0), `${value} is an int`);
    this.#put(value, 'int8', 'int16', 'int32');
  }

  long(high: number, low: number): void {
    const unsigned = (BigInt(high | 0) << 32n) | BigInt(low >>> 0);
    this.#put(BigInt.asIntN(64, unsigned), 'int64');
  }

  safeLong(value: number): void {
    assert.ok(Number.isSafeInteger(value), `${value} is a safe integer`);
    this.#put(BigInt(value), 'int64');
  }

  float(value: number): void {
    this.#put(named(Math.fround(value)), 'float32');
  }

  double(value: number): void {
    this.#put(named(value), 'float64');
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#put(decode(bytes, start, end), 'string');
  }

  text(value: string): void {
    this.#put(value, 'string');
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    assert.ok(start >= 0 && end >= start && end <= bytes.length);
    this.#put(`0x${Buffer.from(bytes.slice(start, end)).toString('hex')}`, 'bytes');
  }

  decimal(ascii: Uint8Array, start: number, end: number, scale: number): void {
    const text = decode(ascii, start, end);
    assert.match(text, /^-?\d+(\.\d+)?$/);
    const [whole = '', fraction = ''] = text.replace('-', '').split('.');
    if (/[1-9]/.test(fraction.slice(scale))) throw new RangeError('more fraction digits than the scale');
    const magnitude = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
    this.#put(`0x${twosComplement(text.startsWith('-') ? -magnitude : magnitude)}`, 'bytes');
  }

  safeDecimal(unscaled: number, _scale: number): void {
    assert.ok(Number.isSafeInteger(unscaled), `${unscaled} is a safe integer`);
    this.#put(`0x${twosComplement(BigInt(unscaled))}`, 'bytes');
  }

  beginStruct(): void {
    const slot = this.#begin('struct');
    const { fields } = slot.schema as Extract<ConnectSchema, { type: 'struct' }>;
    const value: Record<string, Plain> = {};
    let next = 0;
    this.#open.push({
      slot: null,
      field: (name) => {
        const field = fields[next++];
        assert.equal(name, field?.name, 'fields come in the order of the schema');
        return {
          schema: field!.schema,
          optional: field!.optional,
          nullBranch: field!.default === undefined ? 0 : 1,
          put: (item) => this.#add(value, name, item),
        };
      },
      end: (kind) => {
        assert.equal(kind, 'struct');
        assert.equal(next, fields.length, 'every field is written');
        slot.put(value);
      },
    });
  }

  field(name: string): void {
    const open = this.#open.at(-1);
    assert.ok(open?.field !== undefined && this.#slot === null, `field ${name} comes where one is expected`);
    this.#slot = open.field(name);
  }

  endStruct(): void {
    this.#end('struct');
  }

  beginArray(count: number): void {
    const slot = this.#begin('array');
    const { items, itemsOptional } = slot.schema as Extract<ConnectSchema, { type: 'array' }>;
    const values: Plain[] = [];
    const nextSlot = (): Slot | null =>
      values.length === count
        ? null
        : {
            schema: items,
            optional: itemsOptional,
            put: (item) => {
              values.push(item);
              this.#slot = nextSlot();
            },
          };
    this.#open.push({
      slot: null,
      end: (kind) => {
        assert.equal(kind, 'array');
        assert.equal(values.length, count, 'as many items as announced');
        slot.put(values);
      },
    });
    this.#slot = nextSlot();
  }

  endArray(): void {
    this.#end('array');
  }

  beginMap(count: number): void {
    const slot = this.#begin('map');
    const { values: schema, valuesOptional } = slot.schema as Extract<ConnectSchema, { type: 'map' }>;
    const value: Record<string, Plain> = {};
    let pairs = 0;
    this.#open.push({
      slot: null,
      mapKey: (key) => {
        pairs++;
        return { schema, optional: valuesOptional, put: (item) => this.#add(value, key, item) };
      },
      end: (kind) => {
        assert.equal(kind, 'map');
        assert.equal(pairs, count, 'as many pairs as announced');
        slot.put(value);
      },
    });
  }

  mapKey(bytes: Uint8Array, start: number, end: number): void {
    const open = this.#open.at(-1);
    assert.ok(open?.mapKey !== undefined && this.#slot === null, 'a key comes where one is expected');
    this.#slot = open.mapKey(decode(bytes, start, end));
  }

  endMap(): void {
    this.#end('map');
  }

  constant(_fragment: ConstantFragment, write: (out: ValueWriter) => void): void {
    write(this);
  }

  #add(value: Record<string, Plain>, name: string, item: Plain): void {
    value[name] = item;
    this.#slot = null;
  }

  #begin(type: 'struct' | 'array' | 'map'): Slot {
    const slot = this.#current();
    assert.ok(!slot.optional && slot.schema.type === type, `a ${type} fits ${slot.schema.type}`);
    this.#slot = null;
    return slot;
  }

  #end(kind: 'struct' | 'array' | 'map'): void {
    const open = this.#open.pop();
    assert.ok(open !== undefined && this.#slot === null, `the ${kind} is complete`);
    open.end(kind);
  }

  #put(value: Plain, ...types: ConnectSchema['type'][]): void {
    const slot = this.#current();
    assert.ok(!slot.optional, 'an optional value is announced first');
    assert.ok(types.includes(slot.schema.type), `${types[0]} fits ${slot.schema.type}`);
    slot.put(value);
  }

  #current(): Slot {
    assert.ok(this.#slot !== null, 'a value comes where one is expected');
    return this.#slot;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array, start: number, end: number): string {
  return decoder.decode(bytes.slice(start, end));
}

function named(value: number): Plain {
  return Number.isFinite(value) ? value : String(value);
}

function twosComplement(value: bigint): string {
  let bits = 8;
  while (BigInt.asIntN(bits, value) !== value) bits += 8;
  return BigInt.asUintN(bits, value)
    .toString(16)
    .padStart(bits / 4, '0');
}
