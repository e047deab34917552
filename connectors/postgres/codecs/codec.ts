import type { Emit } from '../../../src/core/codecs/codec.ts';
import type { ConnectSchema } from '../../../src/core/connect-schema.ts';
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

/** Makes a codec whose `write` always writes. Without `unavailable` the type is too small to be TOASTed. */
export function codec(
  schema: ConnectSchema,
  write: (bytes: Uint8Array, start: number, end: number, out: ValueWriter) => true,
  fallback: Emit,
  unavailable: Emit = fallback,
): PostgresCodec {
  return { schema, write, writeFallback: fallback, writeUnavailable: unavailable };
}

/** The error names the type and the place, never the value. */
export function malformed(typeName: string, at?: number): MalformedValueError {
  const place = at === undefined ? '' : ` (at byte ${at})`;
  return new MalformedValueError(`not the text form of a Postgres ${typeName}${place}`);
}
