import type { ConnectField, ConnectStruct } from '../core/connect-schema.ts';
import type { ShapedColumn, TableShape } from '../core/encoder.ts';
import type { NameAdjustment } from '../core/settings.ts';
import { qualifiedName } from '../core/table.ts';
import { adjustSchemaName, fieldNames } from './name-adjustment.ts';

const ENVELOPE_VERSION = 2;

export interface EnvelopeSchemas {
  /** Null for a keyless table. */
  readonly key: ConnectStruct | null;
  readonly envelope: ConnectStruct;
  /** Adjusted names of the key's and the row's fields. */
  readonly keyFields: readonly string[];
  readonly rowFields: readonly string[];
}

/** `event.block`: where a change stands in its transaction. */
export const TRANSACTION_BLOCK: ConnectStruct = {
  type: 'struct',
  name: 'event.block',
  version: 1,
  fields: [
    { name: 'id', schema: { type: 'string' }, optional: false },
    { name: 'total_order', schema: { type: 'int64' }, optional: false },
    { name: 'data_collection_order', schema: { type: 'int64' }, optional: false },
  ],
};

/**
 * The schemas of a table's records, as Debezium builds them: names come from the topic, not from the table.
 * @throws ConfigurationError where a column's name cannot be a field name.
 */
export function envelopeSchemas(
  shape: TableShape,
  source: ConnectStruct,
  adjustment: { readonly schemaNames: NameAdjustment; readonly fieldNames: NameAdjustment },
): EnvelopeSchemas {
  const table = qualifiedName(shape.version.id);
  const prefix = adjustSchemaName(shape.topic, adjustment.schemaNames);
  const rowFields = fieldNames(columnNames(shape.value), adjustment.fieldNames, table);
  const keyFields = fieldNames(columnNames(shape.key ?? []), adjustment.fieldNames, table);
  const row: ConnectStruct = { type: 'struct', name: `${prefix}.Value`, fields: fields(shape.value, rowFields) };
  const envelope: ConnectStruct = {
    type: 'struct',
    name: `${prefix}.Envelope`,
    version: ENVELOPE_VERSION,
    fields: [
      { name: 'before', schema: row, optional: true },
      { name: 'after', schema: row, optional: true },
      { name: 'source', schema: source, optional: false },
      { name: 'transaction', schema: TRANSACTION_BLOCK, optional: true },
      { name: 'op', schema: { type: 'string' }, optional: false },
      { name: 'ts_ms', schema: { type: 'int64' }, optional: true },
      { name: 'ts_us', schema: { type: 'int64' }, optional: true },
      { name: 'ts_ns', schema: { type: 'int64' }, optional: true },
    ],
  };
  const key: ConnectStruct | null =
    shape.key === null ? null : { type: 'struct', name: `${prefix}.Key`, fields: fields(shape.key, keyFields) };
  return { key, envelope, keyFields, rowFields };
}

function columnNames(columns: readonly ShapedColumn[]): readonly string[] {
  return columns.map(({ column }) => column.name);
}

function fields(columns: readonly ShapedColumn[], names: readonly string[]): readonly ConnectField[] {
  return columns.map(({ column }, i) => ({
    name: names[i]!,
    schema: column.codec.schema,
    optional: column.nullable,
    ...(column.default === null ? {} : { default: column.default }),
  }));
}
