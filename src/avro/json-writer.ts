import type { ConstantFragment, NullBranch, ValueWriter } from '../core/value-writer.ts';
import { decimalText, scaledText } from './decimal-text.ts';
import { javaDoubleText, javaFloatText } from './java-number-text.ts';
import { jsonString } from './json-text.ts';
import type { RecordWriter } from './record-writer.ts';
import { UnscaledDecimal } from './unscaled-decimal.ts';

/**
 * `connect`: decimals are numbers with all their fraction digits, bytes are base64, as Connect prints a struct into a header.
 * `avro-default`: bytes and decimals are strings of one character per byte, as Avro writes the default of a field.
 */
export type JsonForm = 'connect' | 'avro-default';

/** Writes values as JSON text without schema. 64-bit integers and decimals keep all their digits. */
export class JsonWriter implements RecordWriter {
  readonly #form: JsonForm;
  readonly #decimal = new UnscaledDecimal();
  #text = '';

  constructor(form: JsonForm = 'connect') {
    this.#form = form;
  }

  /** The text so far; the writer starts again empty. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }

  absent(_nullBranch: NullBranch): void {
    this.#value('null');
  }

  present(_nullBranch: NullBranch): void {}

  retract(nullBranch: NullBranch): void {
    this.absent(nullBranch);
  }

  boolean(value: boolean): void {
    this.#value(value ? 'true' : 'false');
  }

  int(value: number): void {
    this.#value(String(value));
  }

  long(high: number, low: number): void {
    this.#value(String((BigInt(high | 0) << 32n) | BigInt(low >>> 0)));
  }

  safeLong(value: number): void {
    this.#value(String(value));
  }

  float(value: number): void {
    this.#number(javaFloatText(value));
  }

  double(value: number): void {
    this.#number(javaDoubleText(value));
  }

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.text(bufferOf(bytes, start, end).toString('utf8'));
  }

  text(value: string): void {
    this.#value(jsonString(value));
  }

  bytes(bytes: Uint8Array, start: number, end: number): void {
    this.text(bufferOf(bytes, start, end).toString(this.#form === 'connect' ? 'base64' : 'latin1'));
  }

  decimal(ascii: Uint8Array, start: number, end: number, scale: number): void {
    this.#decimal.parse(ascii, start, end, scale);
    if (this.#form === 'connect') this.#value(decimalText(bufferOf(ascii, start, end).toString('latin1'), scale));
    else this.bytes(this.#decimal.bytes, this.#decimal.start, this.#decimal.bytes.length);
  }

  safeDecimal(unscaled: number, scale: number): void {
    const ascii = Buffer.from(scaledText(unscaled, scale), 'latin1');
    this.decimal(ascii, 0, ascii.length, scale);
  }

  beginStruct(): void {
    this.#open('{');
  }

  field(name: string): void {
    this.#value(`${jsonString(name)}:`);
  }

  endStruct(): void {
    this.#text += '}';
  }

  beginArray(_count: number): void {
    this.#open('[');
  }

  endArray(): void {
    this.#text += ']';
  }

  beginMap(_count: number): void {
    this.#open('{');
  }

  mapKey(bytes: Uint8Array, start: number, end: number): void {
    this.field(bufferOf(bytes, start, end).toString('utf8'));
  }

  endMap(): void {
    this.#text += '}';
  }

  constant(_fragment: ConstantFragment, write: (out: ValueWriter) => void): void {
    write(this);
  }

  #open(bracket: string): void {
    this.#value(bracket);
  }

  /** JSON has no NaN and no infinities: they become strings. */
  #number(text: string): void {
    this.#value(/^-?[0-9]/.test(text) ? text : `"${text}"`);
  }

  /** A comma is due unless something was just opened or named: a name ends in a colon outside of a string. */
  #value(text: string): void {
    const last = this.#text.at(-1);
    this.#text += last === undefined || last === '{' || last === '[' || last === ':' ? text : `,${text}`;
  }
}

function bufferOf(bytes: Uint8Array, start: number, end: number): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}
