import { ConfigurationError } from '../core/errors.ts';
import type { NameAdjustment } from '../core/settings.ts';

/**
 * A record's full name under Debezium's `schema.name.adjustment.mode`. Only the very first character of the whole name is
 * held to the rule for first characters, as Debezium does it: a namespace like `shop.1table` stays.
 */
export function adjustSchemaName(fullName: string, mode: NameAdjustment): string {
  return mode === 'none' ? fullName : adjust(fullName, mode, /[A-Za-z0-9_.]/);
}

/** A field's name under Debezium's `field.name.adjustment.mode`. */
export function adjustFieldName(name: string, mode: NameAdjustment): string {
  return mode === 'none' ? name : adjust(name, mode, /[A-Za-z0-9_]/);
}

/**
 * The adjusted names of a table's columns, in order.
 * @throws ConfigurationError where one is not a legal Avro name, or two columns share one.
 */
export function fieldNames(columns: readonly string[], mode: NameAdjustment, table: string): readonly string[] {
  const names = columns.map((column) => adjustFieldName(column, mode));
  const illegal = columns.filter((_, i) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(names[i]!));
  if (illegal.length > 0) {
    throw new ConfigurationError(`Columns of ${table} have names that Avro does not allow: ${quoted(illegal)}.`, {
      code: 'FIELD_NAME_ILLEGAL',
      remedy: 'Set `field_name_adjustment` to `avro` or `avro_unicode`, or exclude these columns.',
      table,
    });
  }
  const clashing = columns.filter((_, i) => names.indexOf(names[i]!) !== names.lastIndexOf(names[i]!));
  if (clashing.length > 0) {
    throw new ConfigurationError(`Columns of ${table} get the same field name: ${quoted(clashing)}.`, {
      code: 'FIELD_NAME_DUPLICATE',
      remedy: 'Set `field_name_adjustment` to `avro_unicode`, which keeps names apart, or exclude all but one of them.',
      table,
    });
  }
  return names;
}

/** Works on UTF-16 units, as Java does: a character outside of the basic plane becomes two replacements. */
function adjust(name: string, mode: 'avro' | 'avro_unicode', legal: RegExp): string {
  let adjusted = '';
  for (let i = 0; i < name.length; i++) {
    const unit = name.charAt(i);
    const digitFirst = i === 0 && /[0-9]/.test(unit);
    if (mode === 'avro') {
      if (digitFirst) adjusted += `_${unit}`;
      else adjusted += legal.test(unit) ? unit : '_';
    } else {
      // The underscore is the escape character itself.
      adjusted += legal.test(unit) && unit !== '_' && !digitFirst ? unit : unicodeEscape(unit);
    }
  }
  return adjusted;
}

function unicodeEscape(unit: string): string {
  return `_u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function quoted(columns: readonly string[]): string {
  return columns.map((column) => `"${column}"`).join(', ');
}
