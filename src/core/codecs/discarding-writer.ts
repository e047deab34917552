import type { ConstantFragment, NullBranch, ValueWriter } from '../value-writer.ts';

/** Takes a value without keeping it: to find out whether a codec accepts the text. */
export class DiscardingWriter implements ValueWriter {
  absent(_nullBranch: NullBranch): void {}
  present(_nullBranch: NullBranch): void {}
  boolean(_value: boolean): void {}
  int(_value: number): void {}
  long(_high: number, _low: number): void {}
  safeLong(_value: number): void {}
  float(_value: number): void {}
  double(_value: number): void {}
  utf8(_bytes: Uint8Array, _start: number, _end: number): void {}
  text(_value: string): void {}
  bytes(_bytes: Uint8Array, _start: number, _end: number): void {}
  decimal(_ascii: Uint8Array, _start: number, _end: number, _scale: number): void {}
  safeDecimal(_unscaled: number, _scale: number): void {}
  beginStruct(): void {}
  field(_name: string): void {}
  endStruct(): void {}
  beginArray(_count: number): void {}
  endArray(): void {}
  beginMap(_count: number): void {}
  mapKey(_bytes: Uint8Array, _start: number, _end: number): void {}
  endMap(): void {}
  constant(_fragment: ConstantFragment, _write: (out: ValueWriter) => void): void {}
}
