import { DiscardingWriter } from '../../src/core/codecs/discarding-writer.ts';
import { utf8Bytes } from '../../src/core/codecs/scratch.ts';
import type { SchemaDefault } from '../../src/core/connect-schema.ts';
import type { ColumnCodec } from '../../src/core/table.ts';
import type { PgType, TypeModes } from './pg-type.ts';

/** What stands in the schema for a default that a function computes, by type; types that are missing have no default. */
const GENERATED: ReadonlyMap<string, string> = new Map([
  ['bit', '0'],
  ['varbit', '0'],
  ['bool', 'false'],
  ['bpchar', ''],
  ['varchar', ''],
  ['text', ''],
  ['numeric', '0.0'],
  ['float4', '0'],
  ['float8', '0'],
  ['int2', '0'],
  ['int4', '0'],
  ['int8', '0'],
  ['json', '{}'],
  ['jsonb', '{}'],
  ['xml', ''],
  ['uuid', '00000000-0000-0000-0000-000000000000'],
  ['date', '1970-01-01'],
  ['time', '00:00:00'],
  ['timestamp', '1970-01-01 00:00:00'],
  ['timestamptz', '1970-01-01 00:00:00+00'],
  ['interval', '00:00:00'],
]);

const FUNCTION_CALL = /^\(?[A-Za-z0-9_.]+\(.*\)/;
const CLOCK_KEYWORD = /^(?:current_timestamp|current_time|current_date|localtime|localtimestamp)$/i;
/** The first quoted literal: `'it''s'`, `E'a\\b'`, `B'101'`. */
const LITERAL = /(E?)'((?:[^']|'')*)'/;

/**
 * The default that Debezium writes into the schema of a column: a literal's value, a zero where a function computes it, none
 * for what it cannot read (an expression) and for the types it does not consider (bytea, arrays, money, inet, hstore, structs
 * such as a numeric without scale, domains).
 * @param expression the text of `pg_get_expr(adbin, adrelid)`, or null.
 */
export function columnDefault(
  codec: ColumnCodec,
  type: PgType,
  _typmod: number,
  expression: string | null,
  _nullable: boolean,
  _modes: TypeModes,
): SchemaDefault | null {
  if (expression === null || codec.schema.type === 'struct') return null;
  const text = type.kind === 'enum' ? enumLabel(expression) : defaultText(type, expression);
  if (text === null) return null;
  const bytes = utf8Bytes(text);
  const write: SchemaDefault['write'] = (out) => {
    codec.write(bytes, 0, bytes.length, out);
  };
  try {
    return codec.write(bytes, 0, bytes.length, new DiscardingWriter()) ? { write } : null;
  } catch (error) {
    // The expression is none that Debezium could evaluate either; the column has no default in the schema.
    if (error instanceof Error && error.name === 'MalformedValueError') return null;
    throw error;
  }
}

/** The text form of the default, or null where there is none to tell. */
function defaultText(type: PgType, expression: string): string | null {
  if (type.schema !== 'pg_catalog' || type.base !== null || type.element !== null) return null;
  const generated = GENERATED.get(type.name);
  if (generated === undefined || expression.startsWith('NULL::')) return null;
  const trimmed = expression.trim();
  if (FUNCTION_CALL.test(trimmed) || CLOCK_KEYWORD.test(trimmed)) return asText(type.name, generated);
  const literal = LITERAL.exec(trimmed);
  if (literal === null) return asText(type.name, trimmed);
  const unquoted = literal[2]!.replaceAll("''", "'");
  return asText(type.name, literal[1] === 'E' ? unquoted.replaceAll('\\\\', '\\') : unquoted);
}

/** `pg_get_expr` spells booleans out. */
function asText(typeName: string, value: string): string {
  if (typeName !== 'bool') return value;
  return value.toLowerCase() === 'true' || value === 't' ? 't' : 'f';
}

function enumLabel(expression: string): string | null {
  const literal = /^'((?:[^']|'')*)'::[^']+$/.exec(expression);
  return literal === null ? null : literal[1]!.replaceAll("''", "'");
}
