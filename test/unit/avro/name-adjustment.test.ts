import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adjustFieldName, adjustSchemaName, fieldNames } from '../../../src/avro/name-adjustment.ts';
import { ConfigurationError } from '../../../src/core/errors.ts';

/** What Debezium made of the columns of "Odd-Schema"."My Table", and of its topics. */
const FIELDS = [
  ['Id', 'Id', 'Id'],
  ['first-name', 'first_name', 'first_u002dname'],
  ['2nd', '_2nd', '_u0032nd'],
  ['select', 'select', 'select'],
  ['ünï', '_n_', '_u00fcn_u00ef'],
  ['a.b', 'a_b', 'a_u002eb'],
  ['a b', 'a_b', 'a_u0020b'],
  ['a$b', 'a_b', 'a_u0024b'],
  ['_ok', '_ok', '_u005fok'],
  ['the key', 'the_key', 'the_u0020key'],
] as const;

const SCHEMAS = [
  ['pg_names.Odd-Schema.My_Table', 'pg_names.Odd_Schema.My_Table', 'pg_u005fnames.Odd_u002dSchema.My_u005fTable'],
  ['pg_names.Odd-Schema.1table', 'pg_names.Odd_Schema.1table', 'pg_u005fnames.Odd_u002dSchema.1table'],
  ['pg.Odd-Schema.tab_le.dot', 'pg.Odd_Schema.tab_le.dot', 'pg.Odd_u002dSchema.tab_u005fle.dot'],
] as const;

describe('name adjustment', () => {
  it('makes of field names what Debezium makes of them', () => {
    for (const [name, avro, unicode] of FIELDS) {
      assert.equal(adjustFieldName(name, 'none'), name);
      assert.equal(adjustFieldName(name, 'avro'), avro);
      assert.equal(adjustFieldName(name, 'avro_unicode'), unicode);
    }
  });

  it('makes of schema names what Debezium makes of them', () => {
    for (const [name, avro, unicode] of SCHEMAS) {
      assert.equal(adjustSchemaName(name, 'none'), name);
      assert.equal(adjustSchemaName(name, 'avro'), avro);
      assert.equal(adjustSchemaName(name, 'avro_unicode'), unicode);
    }
  });

  it('escapes a character outside of the basic plane as two units', () => {
    assert.equal(adjustFieldName('x😀', 'avro_unicode'), 'x_ud83d_ude00');
    assert.equal(adjustFieldName('x😀', 'avro'), 'x__');
  });

  it('refuses columns that get the same name, naming them and the way out', () => {
    assert.throws(
      () => fieldNames(['id', 'a.b', 'a b', 'a$b'], 'avro', 'public.t'),
      (error: ConfigurationError) => {
        assert.ok(error instanceof ConfigurationError);
        assert.match(error.message, /public\.t .*"a\.b", "a b", "a\$b"/);
        assert.match(error.remedy, /avro_unicode/);
        assert.equal(error.table, 'public.t');
        return true;
      },
    );
    assert.deepEqual(fieldNames(['a.b', 'a b'], 'avro_unicode', 'public.t'), ['a_u002eb', 'a_u0020b']);
  });

  it('refuses names that Avro does not allow when nothing adjusts them', () => {
    assert.throws(
      () => fieldNames(['id', 'first-name', '2nd', ''], 'none', 'public.t'),
      (error: ConfigurationError) =>
        error instanceof ConfigurationError &&
        /"first-name", "2nd", ""/.test(error.message) &&
        /avro/.test(error.remedy),
    );
  });
});
