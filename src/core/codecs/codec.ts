import type { ConnectScalar, ConnectSchema } from '../connect-schema.ts';
import type { ColumnCodec } from '../table.ts';
import type { ValueWriter } from '../value-writer.ts';

export type Emit = (out: ValueWriter) => void;

/** Makes a codec. Without `unavailable` a value that was not logged is written as `fallback` does. */
export function columnCodec(
  schema: ConnectSchema,
  write: ColumnCodec['write'],
  fallback: Emit,
  unavailable: Emit = fallback,
): ColumnCodec {
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
