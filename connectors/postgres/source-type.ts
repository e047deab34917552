import type { SourceType } from '../../src/core/table.ts';
import { numericModifier } from './codecs/numeric.ts';
import type { PgType } from './pg-type.ts';

const UNLIMITED = 2_147_483_647;

/** Length and scale that the JDBC driver reports for types without modifier. */
const FIXED: ReadonlyMap<string, readonly [length: number, scale: number]> = new Map([
  ['bool', [1, 0]],
  ['char', [1, 0]],
  ['int2', [5, 0]],
  ['int4', [10, 0]],
  ['oid', [10, 0]],
  ['int8', [19, 0]],
  ['float4', [8, 8]],
  ['float8', [17, 17]],
  ['date', [13, 0]],
]);

/** Characters of a time type besides its fraction. */
const CLOCK_LENGTHS: ReadonlyMap<string, number> = new Map([
  ['time', 8],
  ['timetz', 14],
  ['timestamp', 22],
  ['timestamptz', 28],
]);

const SERIAL_NAMES: ReadonlyMap<string, string> = new Map([
  ['int2', 'SMALLSERIAL'],
  ['int4', 'SERIAL'],
  ['int8', 'BIGSERIAL'],
]);

/**
 * The declared type of a column as Debezium names it in `__debezium.source.column.*`.
 * @param defaultExpression text of `pg_get_expr`: an integer column filled by a sequence is a serial.
 */
export function sourceTypeOf(type: PgType, typmod: number, defaultExpression: string | null = null): SourceType {
  const [length, scale] = lengthAndScale(type, typmod);
  const serial = defaultExpression?.includes('nextval(') ? SERIAL_NAMES.get(type.name) : undefined;
  return { typeName: serial ?? type.name.toUpperCase(), length, scale };
}

function lengthAndScale(type: PgType, typmod: number): readonly [number, number] {
  if (type.base !== null) return lengthAndScale(type.base.type, type.base.typmod);
  if (type.element !== null) return lengthAndScale(type.element, typmod);
  if (type.schema !== 'pg_catalog') return [UNLIMITED, 0];
  const clock = CLOCK_LENGTHS.get(type.name);
  if (clock !== undefined) return [clock + fractionLength(typmod), typmod < 0 ? 6 : typmod];
  switch (type.name) {
    case 'numeric': {
      const modifier = numericModifier(typmod);
      // As the stream has it; a snapshot of Debezium says 0 and no scale.
      return modifier === null ? [131_089, 0] : [modifier.precision, modifier.scale];
    }
    case 'bpchar':
    case 'varchar':
      return [typmod < 4 ? UNLIMITED : typmod - 4, 0];
    case 'bit':
    case 'varbit':
      return [typmod < 0 ? UNLIMITED : typmod, 0];
    case 'interval':
      return [49, typmod < 0 ? 6 : typmod & 0xffff];
    default:
      return FIXED.get(type.name) ?? [UNLIMITED, 0];
  }
}

/** Point and digits; the driver counts two digits where one is declared. */
function fractionLength(typmod: number): number {
  if (typmod < 0) return 7;
  return typmod === 0 ? 0 : typmod === 1 ? 3 : typmod + 1;
}
