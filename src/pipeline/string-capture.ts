import type { ValueWriter } from '../core/value-writer.ts';

/**
 * Takes the one string that a string codec writes, so that a mask can change it. Any other call means that the column is
 * not a string, which the shape has refused before.
 */
export class StringCapture implements ValueWriter {
  value = '';

  utf8(bytes: Uint8Array, start: number, end: number): void {
    this.value = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
  }

  text(value: string): void {
    this.value = value;
  }

  absent = unexpected;
  present = unexpected;
  boolean = unexpected;
  int = unexpected;
  long = unexpected;
  safeLong = unexpected;
  float = unexpected;
  double = unexpected;
  bytes = unexpected;
  decimal = unexpected;
  safeDecimal = unexpected;
  beginStruct = unexpected;
  field = unexpected;
  endStruct = unexpected;
  beginArray = unexpected;
  endArray = unexpected;
  beginMap = unexpected;
  mapKey = unexpected;
  endMap = unexpected;
  constant = unexpected;
}

function unexpected(): never {
  throw new TypeError('a mask was put on a column that is not a string');
}
