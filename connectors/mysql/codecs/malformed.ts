import { MalformedValueError } from '../../../src/core/errors.ts';

/** The error names the type, never the value. */
export function malformed(typeName: string): MalformedValueError {
  return new MalformedValueError(`not the binlog form of a ${typeName}`);
}

/** @throws MalformedValueError where a value has not this many bytes. */
export function expectBytes(start: number, end: number, bytes: number, typeName: string): void {
  if (end - start !== bytes) throw malformed(typeName);
}
