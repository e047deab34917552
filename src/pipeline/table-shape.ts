import type { SchemaDefault } from '../core/connect-schema.ts';
import type { ShapedColumn, TableShape } from '../core/encoder.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { ColumnRules, SourceSettings } from '../core/settings.ts';
import { type Column, type ColumnCodec, qualifiedName, type TableVersion } from '../core/table.ts';
import { constantMask, hashMask, propagatedSourceType, truncation } from './masking-codec.ts';

const NO_BYTES = new Uint8Array(0);

/** What of a table goes on the wire: columns left out, masked ones wrapped, the key chosen. Pure. */
export function shapeTable(version: TableVersion, settings: SourceSettings, topic: string): TableShape {
  const table = qualifiedName(version.id);
  const value: ShapedColumn[] = [];
  version.columns.forEach((column, index) => {
    const path = `${table}.${column.name}`;
    if (settings.columns.exclude.some((pattern) => pattern.test(path))) return;
    value.push({ index, column: ruledColumn(column, path, settings) });
  });
  return { version, topic, value, key: keyColumns(version, table, settings) };
}

function keyColumns(version: TableVersion, table: string, settings: SourceSettings): readonly ShapedColumn[] | null {
  const rule = settings.messageKeys.find((candidate) => candidate.table.test(table));
  if (rule === undefined) return version.key?.map((index) => keyColumn(version, index)) ?? null;
  return rule.columns.map((name) => {
    const index = version.columns.findIndex((column) => column.name === name);
    if (index >= 0) return keyColumn(version, index);
    throw new ConfigurationError(`message_key of ${table} names the column ${name}, which the table does not have`, {
      code: 'MESSAGE_KEY_COLUMN_MISSING',
      remedy: `Name columns of the table in message_key (it has ${version.columns.map((c) => c.name).join(', ')}).`,
      source: settings.name,
      table,
    });
  });
}

function keyColumn(version: TableVersion, index: number): ShapedColumn {
  return { index, column: version.columns[index]! };
}

/** As Debezium: a mask replaces the propagated type. */
function ruledColumn(column: Column, path: string, settings: SourceSettings): Column {
  const rules = settings.columns;
  const masked = maskedCodec(column, path, rules);
  if (masked !== null) {
    if (column.codec.schema.type !== 'string') throw maskOnWrongType(path, column, settings);
    return { ...column, codec: masked, default: maskedDefault(column, path, rules) };
  }
  if (!rules.propagateSourceType.some((pattern) => pattern.test(path))) return column;
  return { ...column, codec: propagatedSourceType(column.codec, column.name, column.sourceType) };
}

/** True where a rule changes what leaves the process of this column: `schema.table.column`. */
export function isMasked(path: string, { mask, hash, truncate }: ColumnRules): boolean {
  return [...mask, ...hash, ...truncate].some((rule) => rule.match.test(path));
}

/**
 * A default is in every schema and stands in old images for what was not logged, so it is masked as a value would be.
 * Debezium shows it: under a mask, and only there, a schema is not the one that it registered.
 */
function maskedDefault(column: Column, path: string, rules: ColumnRules): SchemaDefault | null {
  const { codec, default: unmasked } = column;
  if (unmasked === null) return null;
  const write: ColumnCodec['write'] = (_bytes, _start, _end, out) => {
    unmasked.write(out);
    return true;
  };
  const masked = maskedCodec({ ...column, codec: { ...codec, write } }, path, rules);
  return masked === null ? unmasked : { write: (out) => void masked.write(NO_BYTES, 0, 0, out) };
}

function maskedCodec(column: Column, path: string, rules: ColumnRules): ColumnCodec | null {
  const mask = rules.mask.find((rule) => rule.match.test(path));
  if (mask !== undefined) return constantMask(column.codec, mask.with);
  const hash = rules.hash.find((rule) => rule.match.test(path));
  if (hash !== undefined) return hashMask(column.codec, hash.algorithm, hash.salt, column.sourceType);
  const cut = rules.truncate.find((rule) => rule.match.test(path));
  return cut === undefined ? null : truncation(column.codec, cut.length);
}

function maskOnWrongType(path: string, column: Column, settings: SourceSettings): ConfigurationError {
  return new ConfigurationError(
    `${path} cannot be masked: it is published as ${column.codec.schema.type}, not as text`,
    {
      code: 'MASK_ON_NON_TEXT_COLUMN',
      remedy: 'Leave the column out with columns.exclude, or change the pattern of the mask.',
      source: settings.name,
    },
  );
}
