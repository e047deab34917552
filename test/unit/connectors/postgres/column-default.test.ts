import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columnCodec } from '../../../../connectors/postgres/column-codecs.ts';
import { columnDefault } from '../../../../connectors/postgres/column-default.ts';
import type { PgType, TypeModes } from '../../../../connectors/postgres/pg-type.ts';
import { type Plain, PlainWriter } from '../../../support/plain-writer.ts';
import { builtInType, extensionType } from './codecs/built-in.ts';
import { DEFAULT_MODES } from './debezium-variants.ts';

const NUMERIC_8_3 = (8 << 16) + 3 + 4;

describe('columnDefault', () => {
  it('reads literals', () => {
    assert.equal(defaultOf('int4', '5'), 5);
    assert.equal(defaultOf('int4', "'-6'::integer"), -6);
    assert.equal(defaultOf('int2', "'-32768'::integer"), -32_768);
    assert.equal(defaultOf('int8', "'9223372036854775807'::bigint"), 9_223_372_036_854_775_807n);
    assert.equal(defaultOf('text', "'it''s'::text"), "it's");
    assert.equal(defaultOf('text', "''::text"), '');
    assert.equal(defaultOf('text', String.raw`E'a\\b'::text`), 'a\\b');
    assert.equal(defaultOf('varchar', "'a::b(c)'::character varying"), 'a::b(c)');
    assert.equal(defaultOf('bool', 'true'), true);
    assert.equal(defaultOf('bool', 'false'), false);
    assert.equal(defaultOf('numeric', '1.5', {}, NUMERIC_8_3), '0x05dc');
    assert.equal(defaultOf('numeric', '1.5', { decimal: 'string' }, NUMERIC_8_3), '1.500');
    assert.equal(defaultOf('float8', "'-1.25'::numeric"), -1.25);
    assert.equal(defaultOf('bit', `'101'::"bit"`, {}, 3), '0x05');
    assert.equal(defaultOf('bit', `B'1'::"bit"`, {}, 1), true);
    assert.equal(
      defaultOf('timestamptz', "'2020-02-03 03:05:06.789+00'::timestamp with time zone"),
      '2020-02-03T03:05:06.789000Z',
    );
    assert.equal(defaultOf('interval', "'1 day'::interval", { interval: 'string' }), 'P0Y0M1DT0H0M0S');
  });

  it('writes a zero where a function computes the default', () => {
    assert.equal(defaultOf('int4', "nextval('inv.t_id_seq'::regclass)"), 0);
    assert.equal(defaultOf('text', "lower('ABC'::text)"), '');
    assert.equal(defaultOf('uuid', 'gen_random_uuid()'), '00000000-0000-0000-0000-000000000000');
    assert.equal(defaultOf('timestamptz', 'now()'), '1970-01-01T00:00:00.000000Z');
    assert.equal(defaultOf('timestamptz', 'CURRENT_TIMESTAMP', {}, 0), '1970-01-01T00:00:00Z');
    assert.equal(defaultOf('timestamp', "(now() AT TIME ZONE 'utc'::text)"), 0n);
    assert.equal(defaultOf('date', 'CURRENT_DATE'), 0);
    assert.equal(defaultOf('time', 'LOCALTIME'), 0n);
    assert.equal(defaultOf('interval', "age('2020-01-01'::date)"), 0n);
    assert.equal(defaultOf('jsonb', 'jsonb_build_object()'), '{}');
    assert.equal(defaultOf('numeric', 'random()', {}, NUMERIC_8_3), '0x00');
    assert.equal(defaultOf('bool', 'f()'), false);
    assert.equal(defaultOf('bit', 'f()', {}, 5), '0x');
    assert.equal(defaultOf('bit', 'f()', {}, 1), false);
  });

  it('has none for expressions, NULL and values that are none', () => {
    assert.equal(defaultOf('int4', '(1 + 2)'), null);
    assert.equal(defaultOf('int4', null), null);
    assert.equal(defaultOf('int2', '40000'), null);
    assert.equal(defaultOf('varchar', 'NULL::character varying'), null);
    assert.equal(defaultOf('date', "('now'::text)::date"), null);
    assert.equal(defaultOf('numeric', "'NaN'::numeric", {}, NUMERIC_8_3), null);
    assert.equal(defaultOf('numeric', '1.23456', {}, NUMERIC_8_3), null);
  });

  it('has none for the types that Debezium does not consider', () => {
    assert.equal(defaultOf('bytea', String.raw`'\x0102'::bytea`), null);
    assert.equal(defaultOf('_int4', "'{1,2}'::integer[]"), null);
    assert.equal(defaultOf('money', "'$1.23'::money"), null);
    assert.equal(defaultOf('inet', "'1.2.3.4'::inet"), null);
    assert.equal(defaultOf('timetz', "'01:02:03+00'::time with time zone"), null);
    assert.equal(defaultOf('numeric', '12.5'), null);
    assert.equal(defaultOf('numeric', '12.5', { decimal: 'string' }), '12.5');
    assert.equal(defaultOf('date', "'2020-01-01'::date", { time: 'structured' }), null);
    assert.equal(defaultOfType(extensionType('citext'), "'a'::public.citext"), null);
    assert.equal(defaultOfType(extensionType('hstore'), `'"a"=>"1"'::public.hstore`), null);
    const domain: PgType = {
      ...extensionType('posint'),
      kind: 'domain',
      base: { type: builtInType('int4'), typmod: -1 },
    };
    assert.equal(defaultOfType(domain, '5'), null);
  });

  it('reads labels of enums', () => {
    const mood: PgType = { ...extensionType('mood'), kind: 'enum', labels: ['ok', "it's"] };
    assert.equal(defaultOfType(mood, "'ok'::inv.mood"), 'ok');
    assert.equal(defaultOfType(mood, `'it''s'::"Odd".mood`), "it's");
    assert.equal(defaultOfType(mood, 'inv.some_mood()'), null);
  });

  it('takes no time for what looks like a function', () => {
    const expression = `f(${'a,'.repeat(50_000)}X`;
    const started = process.cpuUsage();
    defaultOf('text', expression);
    assert.ok(process.cpuUsage(started).user < 2_000_000);
  });
});

function defaultOf(name: string, expression: string | null, modes: Partial<TypeModes> = {}, typmod = -1): Plain {
  return defaultOfType(builtInType(name), expression, modes, typmod);
}

function defaultOfType(type: PgType, expression: string | null, modes: Partial<TypeModes> = {}, typmod = -1): Plain {
  const all = { ...DEFAULT_MODES, ...modes };
  const codec = columnCodec(type, typmod, all)!;
  const value = columnDefault(codec, type, typmod, expression, true, all);
  if (value === null) return null;
  const out = new PlainWriter(codec.schema);
  value.write(out);
  return out.take()!;
}
