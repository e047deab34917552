import type { ConnectScalar, ConnectSchema } from '../../../src/core/connect-schema.ts';
import { MalformedValueError } from '../../../src/core/errors.ts';
import type { ColumnCodec } from '../../../src/core/table.ts';
import type { ValueWriter } from '../../../src/core/value-writer.ts';

/** A column codec that can also be the codec of an array's elements. */
export interface PostgresCodec extends ColumnCodec {
  /**
   * Whether `write` would write this value; absent where it writes every well-formed one. An array must know before it
   * announces an element.
   */
  readonly canWrite?: (bytes: Uint8Array, start: number, end: number) => boolean;
}

export type Emit = (out: ValueWriter) => void;

/** Makes a codec whose `write` always writes. Without `unavailable` the type is too small to be TOASTed. */
export function codec(
  schema: ConnectSchema,
  write: (bytes: Uint8Array, start: number, end: number, out: ValueWriter) => true,
  fallback: Emit,
  unavailable: Emit = fallback,
): PostgresCodec {
  return { schema, write, writeFallback: fallback, writeUnavailable: unavailable };
}

/** A named scalar of version 1, as all of Debezium's and Connect's semantic scalars are. */
export function semantic(
  type: ConnectScalar['type'],
  name: string,
  parameters?: readonly (readonly [string, string])[],
): ConnectScalar {
  return parameters === undefined ? { type, name, version: 1 } : { type, name, version: 1, parameters };
}

/** The error names the type and the place, never the value. */
export function malformed(typeName: string, at?: number): MalformedValueError {
  const place = at === undefined ? '' : ` (at byte ${at})`;
  return new MalformedValueError(`not the text form of a Postgres ${typeName}${place}`);
}
