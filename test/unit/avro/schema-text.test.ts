import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { avroSchemaText } from '../../../src/avro/schema-text.ts';
import type { ConnectStruct } from '../../../src/core/connect-schema.ts';
import { ConfigurationError } from '../../../src/core/errors.ts';
import { recordedSchemas } from '../../support/debezium-fixtures.ts';
import { readAvroSchema } from '../../support/read-avro-schema.ts';

describe('avroSchemaText', () => {
  for (const database of ['postgres', 'mysql', 'mariadb'] as const) {
    it(`prints every schema that Debezium registered for ${database}`, () => {
      const schemas = recordedSchemas().filter((recorded) => recorded.database === database);
      assert.ok(schemas.length > 250, `${schemas.length} schemas`);
      const different: string[] = [];
      for (const { subject, version, schema } of schemas) {
        if (avroSchemaText(readAvroSchema(schema)) !== schema) different.push(`${subject} v${version}`);
      }
      assert.deepEqual(different, []);
    });
  }

  it('refuses two different structures of one name', () => {
    const part = (field: string): ConnectStruct => ({
      type: 'struct',
      name: 'a.Part',
      fields: [{ name: field, schema: { type: 'int32' }, optional: false }],
    });
    const whole: ConnectStruct = {
      type: 'struct',
      name: 'a.Whole',
      fields: [
        { name: 'one', schema: part('x'), optional: false },
        { name: 'two', schema: part('y'), optional: false },
      ],
    };
    assert.throws(() => avroSchemaText(whole), ConfigurationError);
  });

  it('escapes as Jackson does', () => {
    const schema: ConnectStruct = {
      type: 'struct',
      name: 'a.R',
      fields: [{ name: 'f', schema: { type: 'string', doc: 'Ü "q" \\ \n \u0001 \u001f \u007f 😀' }, optional: false }],
    };
    assert.equal(
      avroSchemaText(schema),
      '{"type":"record","name":"R","namespace":"a","fields":[{"name":"f","type":{"type":"string","connect.doc":' +
        '"Ü \\"q\\" \\\\ \\n \\u0001 \\u001F \u007f 😀"}}],"connect.name":"a.R"}',
    );
  });
});
