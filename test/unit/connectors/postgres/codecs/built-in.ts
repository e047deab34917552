import { columnCodec } from '../../../../../connectors/postgres/column-codecs.ts';
import type { PgType, TypeModes } from '../../../../../connectors/postgres/pg-type.ts';
import type { ColumnCodec } from '../../../../../src/core/table.ts';
import { DEFAULT_MODES } from '../debezium-variants.ts';

const NO_PARTS = { element: null, base: null, labels: [] } as const;

export function builtInType(name: string): PgType {
  const range = name.endsWith('range');
  const base: PgType = { oid: 1, schema: 'pg_catalog', name, kind: range ? 'range' : 'base', ...NO_PARTS };
  return name.startsWith('_') ? { ...base, element: builtInType(name.slice(1)) } : base;
}

export function extensionType(name: string): PgType {
  return { oid: 70_000, schema: 'public', name, kind: 'base', ...NO_PARTS };
}

/** The codec of a built-in type; arrays are named as in `pg_type`, `_int4`. */
export function builtIn(name: string, modes: Partial<TypeModes> = {}, typmod = -1): ColumnCodec {
  return columnCodec(builtInType(name), typmod, { ...DEFAULT_MODES, ...modes })!;
}
