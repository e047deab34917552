import { decimalText, scaledText } from '../avro/decimal-text.ts';
import { javaFloatText } from '../avro/java-number-text.ts';
import type { ConstantFragment, NullBranch, ValueWriter } from '../core/value-writer.ts';

interface Container {
  add(value: unknown): void;
  name(name: string): void;
  built(): unknown;
}

/**
 * Builds plain values: 64-bit integers are bigints, decimals text with all their digits, bytes copies. For a person to read,
 * not for a hot path.
 */
export class PlainValueWriter implements ValueWriter {
  readonly #open: Container[] = [];
  #value: unknown;

  /** The value written since the last call; undefined where nothing was. */
  take(): unknown {
    const value = this.#value;
    this.#value = undefined;
    this.#open.length = 0;
    return value;
  }

  absent(_nullBranch: NullBranch): void {
    this.#put(null);
  }

  present(_nullBranch: NullBranch): void {}

  boolean(value: boolean): void {
    this.#put(value);
  }

  int(value: number): void {
    this.#put(value);
  }

  long(high: number, low: number): void {
    this.#put((BigInt(high | 0) << 32n) | BigInt(low >>> 0));
  }

  safeLong(value: number): void {
    this.#put(BigInt(value));
  }

  /** The shortest number that is this float: 0.1 and not 0.10000000149011612. */
  float(value: number): void {
    this.#put(Number(javaFloatText(value)));
  }

  double(value: number): void {
    this.#put(value);
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.#put(textOf(bytes, start, end));
  }

  text(value: string): void {
    this.#put(value);
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.#put(Buffer.from(bytes.subarray(start, end)));
  }

  decimal(ascii: Uint8Array, start: number, end: number, scale: number): void {
    this.#put(decimalText(textOf(ascii, start, end), scale));
  }

  safeDecimal(unscaled: number, scale: number): void {
    this.#put(decimalText(scaledText(unscaled, scale), scale));
  }

  beginStruct(): void {
    this.#open.push(named());
  }

  field(name: string): void {
    this.#open.at(-1)?.name(name);
  }

  endStruct(): void {
    this.#close();
  }

  beginArray(_count: number): void {
    const values: unknown[] = [];
    this.#open.push({ add: (value) => values.push(value), name: () => {}, built: () => values });
  }

  endArray(): void {
    this.#close();
  }

  beginMap(_count: number): void {
    this.#open.push(named());
  }

  mapKey(bytes: Uint8Array, start: number, end: number): void {
    this.field(textOf(bytes, start, end));
  }

  endMap(): void {
    this.#close();
  }

  constant(_fragment: ConstantFragment, write: (out: ValueWriter) => void): void {
    write(this);
  }

  #close(): void {
    this.#put(this.#open.pop()?.built());
  }

  #put(value: unknown): void {
    const container = this.#open.at(-1);
    if (container === undefined) this.#value = value;
    else container.add(value);
  }
}

function named(): Container {
  const entries: [string, unknown][] = [];
  let next = '';
  return {
    add: (value) => entries.push([next, value]),
    name: (name) => {
      next = name;
    },
    // Defines every name as an own property, `__proto__` too.
    built: () => Object.fromEntries(entries),
  };
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
}
