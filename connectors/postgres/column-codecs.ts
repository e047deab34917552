import type { ColumnCodec, SourceType } from '../../src/core/table.ts';
import type { PgType, TypeModes } from './pg-type.ts';

/**
 * The codec of a column: what its values are in Connect's terms, and how the text that the server sends becomes them.
 * @param typmod `atttypmod`; -1: none.
 * @returns null where Debezium leaves such a column out (an unknown type, unless `modes.unknown` is `include`).
 */
export function columnCodec(_type: PgType, _typmod: number, _modes: TypeModes): ColumnCodec | null {
  return null;
}

/** The declared type of a column as Debezium names it in `__debezium.source.column.*`. */
export function sourceTypeOf(type: PgType, _typmod: number): SourceType {
  return { typeName: type.name.toUpperCase(), length: null, scale: null };
}
