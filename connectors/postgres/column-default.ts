import type { SchemaDefault } from '../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import type { PgType, TypeModes } from './pg-type.ts';

/**
 * The default that Debezium writes into the schema of a column.
 * @param expression the text of `pg_get_expr(adbin, adrelid)`, or null.
 */
export function columnDefault(
  _codec: ColumnCodec,
  _type: PgType,
  _typmod: number,
  _expression: string | null,
  _nullable: boolean,
  _modes: TypeModes,
): SchemaDefault | null {
  return null;
}
