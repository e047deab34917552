import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnCodec, sourceTypeOf } from '../../../../../connectors/postgres/column-codecs.ts';
import { columnDefault } from '../../../../../connectors/postgres/column-default.ts';
import type { TypeModes } from '../../../../../connectors/postgres/pg-type.ts';
import { avroSchemaText } from '../../../../../src/avro/schema-text.ts';
import type { ConnectField, ConnectSchema } from '../../../../../src/core/connect-schema.ts';
import {
  type RecordedColumn,
  type RecordedTable,
  readGolden,
  recordedTables,
} from '../../../../support/postgres-type-fixtures.ts';
import { DEBEZIUM_VARIANTS } from '../debezium-variants.ts';

/** What `column.mask`, `column.truncate` and `column.exclude.list` of pg_props do to these columns. */
const PROPS_RULES: Readonly<Record<string, 'exclude' | readonly [string, string]>> = {
  'inv.ri_default t': ['masked', 'true'],
  'inv.ri_default opt': 'exclude',
  'inv.t_text t': ['truncateLength', '3'],
  'inv.t_text id': 'exclude',
};

describe('schemas as Debezium registered them', () => {
  for (const [variant, modes] of Object.entries(DEBEZIUM_VARIANTS)) {
    for (const table of recordedTables()) {
      const golden = readGolden(variant, table.name);
      if (golden === null) continue;
      it(`${variant} ${table.name}`, () => {
        const topic = `${variant}.${table.name}`;
        const fields = rowFields(variant, table, modes);
        // Inside of the envelope the namespace is inherited.
        const ours = avroSchemaText({ type: 'struct', name: `${topic}.Value`, fields }).replace(
          `,"namespace":"${topic}"`,
          '',
        );
        // The source type of a numeric without precision was another one in the stream than in the snapshot.
        const version = variant === 'pg_props' && table.name === 'inv.t_num' ? 1 : 0;
        const { schema } = golden.subjects.value[version]!;
        assert.deepEqual(JSON.parse(ours).fields, JSON.parse(schema).fields[0].type[1].fields);
        assert.ok(schema.includes(ours), 'letter by letter');
      });
    }
  }
});

function rowFields(variant: string, table: RecordedTable, modes: TypeModes): ConnectField[] {
  return table.columns.flatMap((column) => {
    const { name, type, typmod, nullable, defaultExpression } = column;
    const rule = variant === 'pg_props' ? (PROPS_RULES[`${table.name} ${name}`] ?? null) : null;
    const codec = columnCodec(type, typmod, modes);
    if (codec === null || rule === 'exclude') return [];
    const value = columnDefault(codec, type, typmod, defaultExpression, nullable, modes);
    const schema =
      variant === 'pg_props' ? withParameters(codec.schema, rule === null ? propagated(column) : [rule]) : codec.schema;
    return [{ name, schema, optional: nullable, ...(value === null ? {} : { default: value }) }];
  });
}

function withParameters(schema: ConnectSchema, added: readonly (readonly [string, string])[]): ConnectSchema {
  return { ...schema, parameters: [...(schema.parameters ?? []), ...added] };
}

function propagated({ name, type, typmod, defaultExpression }: RecordedColumn): readonly (readonly [string, string])[] {
  const { typeName, length, scale } = sourceTypeOf(type, typmod, defaultExpression);
  const prefix = '__debezium.source.column';
  return [
    [`${prefix}.type`, typeName],
    ...(length === null ? [] : [[`${prefix}.length`, String(length)] as const]),
    ...(scale === null ? [] : [[`${prefix}.scale`, String(scale)] as const]),
    [`${prefix}.name`, name],
  ];
}
