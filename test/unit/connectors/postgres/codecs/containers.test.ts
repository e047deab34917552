import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { columnCodec } from '../../../../../connectors/postgres/column-codecs.ts';
import type { PgType, TypeModes } from '../../../../../connectors/postgres/pg-type.ts';
import { rawBytesCodec } from '../../../../../src/core/codecs/binary.ts';
import { MalformedValueError } from '../../../../../src/core/errors.ts';
import { anyText } from '../../../../support/any-text.ts';
import { plainOf, plainValue } from '../../../../support/plain-value.ts';
import { DEFAULT_MODES } from '../debezium-variants.ts';
import { builtIn, builtInType, extensionType } from './built-in.ts';

const nasty = fc.string({
  unit: fc.constantFrom('"', '\\', ',', '{', '}', ';', ' ', '\n', 'N', 'NULL', 'é', '😀', "'", '=', '>', ''),
});
const words = fc.oneof(nasty, fc.constantFrom('NULL', 'null', '', '"', '\\', '{}', '=>'), anyText());
const BINARY = ['bytes', 'hex', 'base64', 'base64-url-safe'] as const;

describe('arrays', () => {
  it('of text with every kind of quoting', () => {
    const codec = builtIn('_text');
    fc.assert(
      fc.property(fc.array(fc.option(words)), (values) => {
        assert.deepEqual(plainValue(codec, arrayText(values)), values);
      }),
      { numRuns: 2000 },
    );
  });

  it('of several dimensions are flattened, bounds are skipped', () => {
    const codec = builtIn('_int4');
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(fc.integer(), { minLength: width, maxLength: width }), { minLength: 1 }));
    fc.assert(
      fc.property(rows, (values) => {
        const text = `{${values.map((row) => `{${row.join(',')}}`).join(',')}}`;
        assert.deepEqual(plainValue(codec, text), values.flat());
        assert.deepEqual(plainValue(codec, `[-1:${values.length - 2}][1:${values[0]!.length}]=${text}`), values.flat());
      }),
    );
  });

  it('of bytes, hstore and boxes', () => {
    assert.deepEqual(plainValue(builtIn('_bytea'), String.raw`{"\\x00ff","\\x",NULL}`), ['0x00ff', '0x', null]);
    const hstores: PgType = { ...extensionType('_hstore'), element: extensionType('hstore') };
    const text = String.raw`{"\"a\"=>\"1\", \"b\"=>NULL",NULL}`;
    assert.deepEqual(plainValue(columnCodec(hstores, -1, { ...DEFAULT_MODES, hstore: 'map' })!, text), [
      { a: '1', b: null },
      null,
    ]);
    const boxes = plainValue(builtIn('_box'), '{(1,1),(0,0);(2,2),(0,0)}') as unknown[];
    assert.equal(boxes.length, 2);
  });

  it('of enums cannot hold NULL: that is an error, not a lost element', () => {
    const mood: PgType = { ...extensionType('mood'), kind: 'enum', labels: ['sad', 'ok'] };
    const codec = columnCodec({ ...extensionType('_mood'), element: mood }, -1, DEFAULT_MODES)!;
    assert.deepEqual(plainValue(codec, '{sad,ok}'), ['sad', 'ok']);
    assert.throws(() => plainValue(codec, '{sad,NULL}'), MalformedValueError);
  });

  it('refuses broken text', () => {
    for (const text of [
      '',
      '{',
      '}',
      '{1',
      '1}',
      '{1,}',
      '{,1}',
      '{1,,2}',
      '{1}}',
      '{{1}',
      '{1}2',
      '{"1}',
      '{"1"2}',
      '{1"2"}',
      '{1\\}',
      '[0:1={1}',
      '[a]={1}',
      '{}{}',
      '{{{{{{{1}}}}}}}',
    ]) {
      assert.throws(() => plainValue(builtIn('_text'), text), MalformedValueError, text);
    }
  });
});

describe('hstore', () => {
  const pairs = fc.uniqueArray(fc.tuple(words, fc.option(words)), { selector: ([key]) => key });

  it('as JSON and as a map', () => {
    const json = columnCodec(extensionType('hstore'), -1, DEFAULT_MODES)!;
    const map = columnCodec(extensionType('hstore'), -1, { ...DEFAULT_MODES, hstore: 'map' })!;
    fc.assert(
      fc.property(pairs, (entries) => {
        // An object's own __proto__ cannot be compared.
        fc.pre(entries.every(([key]) => key !== '__proto__'));
        const text = entries
          .map(([key, value]) => `${quoted(key)}=>${value === null ? 'NULL' : quoted(value)}`)
          .join(', ');
        // Not parsed: JSON.parse of Node 24 confuses the keys `"` and `\\` once it has seen both.
        const object = entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',');
        assert.equal((plainValue(json, text) as string).toLowerCase(), `{${object}}`.toLowerCase());
        assert.deepEqual(plainValue(map, text), Object.fromEntries(entries));
      }),
      { numRuns: 1000 },
    );
    assert.equal(plainValue(json, '"a"=>"\u001f"'), '{"a":"\\u001F"}');
  });

  it('refuses broken text', () => {
    const codec = columnCodec(extensionType('hstore'), -1, DEFAULT_MODES)!;
    for (const text of [
      'a=>1',
      '"a"',
      '"a"=>',
      '"a"=>1',
      '"a"=>"1",',
      '"a"=>"1", ',
      '"a"=>"1""b"=>"2"',
      '"a"=>NUL',
      '"a"=>"1',
      '"a\\',
    ]) {
      assert.throws(() => plainValue(codec, text), MalformedValueError, text);
    }
  });
});

describe('bytea', () => {
  it('in every mode', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        const buffer = Buffer.from(bytes);
        const text = `\\x${buffer.toString('hex')}`;
        const [raw, hex, base64, urlSafe] = BINARY.map((binary) => plainValue(builtIn('bytea', { binary }), text));
        assert.equal(raw, `0x${buffer.toString('hex')}`);
        assert.equal(hex, buffer.toString('hex'));
        assert.equal(base64, buffer.toString('base64'));
        const padding = '='.repeat((3 - (buffer.length % 3)) % 3);
        assert.equal(urlSafe, `${buffer.toString('base64url')}${padding}`);
      }),
    );
  });

  it('refuses the escape format and broken hex', () => {
    for (const text of ['', '\\', 'x00', '\\x0', '\\x0g', '\\000', 'abc', '\\X00', '\\x0é']) {
      assert.throws(() => plainValue(builtIn('bytea'), text), MalformedValueError, text);
    }
  });

  it('the content of a logical message is any bytes', () => {
    const contents = BINARY.map((binary) =>
      plainValue(rawBytesCodec({ ...DEFAULT_MODES, binary }), Uint8Array.of(0, 255)),
    );
    assert.deepEqual(contents, ['0x00ff', '00ff', 'AP8=', 'AP8=']);
  });
});

describe('bits', () => {
  it('are little-endian without zero bytes at the end', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[01]{0,90}$/), (digits) => {
        let value = digits === '' ? 0n : BigInt(`0b${digits}`);
        let expected = '0x';
        for (; value > 0n; value >>= 8n) expected += (value & 255n).toString(16).padStart(2, '0');
        assert.equal(plainValue(builtIn('varbit'), digits), expected);
      }),
    );
    assert.equal(plainValue(builtIn('bit', {}, 1), '1'), true);
    assert.equal(plainValue(builtIn('varbit', {}, 1), ''), false);
  });

  it('refuses other digits', () => {
    for (const text of ['2', '10x', ' ', '0b1'])
      assert.throws(() => plainValue(builtIn('varbit'), text), MalformedValueError);
    for (const text of ['10', 'x', 't'])
      assert.throws(() => plainValue(builtIn('bit', {}, 1), text), MalformedValueError);
  });
});

describe('bool', () => {
  it('is t or f', () => {
    assert.deepEqual([plainValue(builtIn('bool'), 't'), plainValue(builtIn('bool'), 'f')], [true, false]);
    for (const text of ['', 'true', 'T', '1', 'tf'])
      assert.throws(() => plainValue(builtIn('bool'), text), MalformedValueError);
  });
});

describe('geometry', () => {
  it('refuses broken text', () => {
    const broken = {
      point: ['', '(1)', '(1,2', '(1-2,)', '(1,2)x', '(a,b)', '(1, 2)', '(1,2,3)'],
      line: ['{1,2}', '(1,2,3)'],
      lseg: ['[(1,2)]', '((1,2),(3,4))'],
      box: ['(1,2)', '(1,2)(3,4)'],
      path: ['[]', '()', '[(1,2),]', '[(1,2))'],
      polygon: ['()', '[(1,2)]'],
      circle: ['<(1,2)>', '<1,2,3>'],
    };
    for (const [name, texts] of Object.entries(broken)) {
      for (const text of texts)
        assert.throws(() => plainValue(builtIn(name), text), MalformedValueError, `${name} ${text}`);
    }
  });

  it('PostGIS is EWKB in hex, with its reference system beside it', () => {
    const hex = '0101000020E6100000000000000000F03F0000000000000040';
    const geometry = columnCodec(extensionType('geometry'), -1, DEFAULT_MODES)!;
    const wkb = `0x${hex.toLowerCase()}`;
    assert.deepEqual(plainValue(geometry, hex), { wkb, srid: 4326, extensions: null });
    assert.deepEqual(plainValue(columnCodec(extensionType('geography'), -1, DEFAULT_MODES)!, hex), { wkb, srid: 4326 });
    assert.deepEqual(plainValue(geometry, '0101000000000000000000F03F0000000000000040'), {
      wkb: '0x0101000000000000000000f03f0000000000000040',
      srid: null,
      extensions: null,
    });
    for (const text of ['', '01', '0101000020', '02010000', 'POINT(1 2)']) {
      assert.throws(() => plainValue(geometry, text), MalformedValueError, text);
    }
  });

  it('pgvector', () => {
    const vector = (name: string) => columnCodec(extensionType(name), -1, DEFAULT_MODES)!;
    assert.deepEqual(plainValue(vector('vector'), '[1,-2.5,3e-05]'), [1, -2.5, 3e-5]);
    assert.deepEqual(plainValue(vector('halfvec'), '[0.5]'), [0.5]);
    assert.deepEqual(plainValue(vector('sparsevec'), '{1:1.5,3:-2}/5'), {
      dimensions: 5,
      vector: [
        { key: 1, value: 1.5 },
        { key: 3, value: -2 },
      ],
    });
    assert.equal(plainValue(vector('sparsevec'), '{}/40000'), null);
    for (const text of ['', '[]', '[1,]', '[,1]', '1,2', '[1 2]', '[1,2']) {
      assert.throws(() => plainValue(vector('vector'), text), MalformedValueError, text);
    }
  });
});

describe('types that Debezium does not know', () => {
  const composite: PgType = { ...extensionType('pair'), kind: 'composite' };
  const unknown: PgType[] = [
    composite,
    { ...composite, kind: 'multirange' },
    builtInType('pg_lsn'),
    builtInType('int2vector'),
  ];

  it('are left out or published as the bytes of their text', () => {
    const include: TypeModes = { ...DEFAULT_MODES, unknown: 'include' };
    for (const type of unknown) {
      assert.equal(columnCodec(type, -1, DEFAULT_MODES), null);
      assert.equal(plainValue(columnCodec(type, -1, include)!, '(1,x)'), '0x28312c7829');
      assert.equal(plainValue(columnCodec(type, -1, { ...include, binary: 'base64' })!, '(1,x)'), 'KDEseCk=');
    }
    const array: PgType = { ...extensionType('_pair'), element: composite };
    assert.equal(columnCodec(array, -1, DEFAULT_MODES), null);
    assert.deepEqual(plainValue(columnCodec(array, -1, include)!, '{"(1,x)"}'), ['0x28312c7829']);
    assert.equal(columnCodec(builtInType('_money'), -1, include), null);
  });

  it("a user's type is not a built-in one of the same name", () => {
    assert.equal(columnCodec(extensionType('text'), -1, DEFAULT_MODES), null);
    assert.equal(columnCodec({ ...extensionType('hstore'), kind: 'composite' }, -1, DEFAULT_MODES), null);
  });
});

describe('SQL_ASCII', () => {
  it('checks that text is UTF-8', () => {
    const codec = columnCodec(builtInType('text'), -1, { ...DEFAULT_MODES, textEncoding: 'unverified' })!;
    assert.equal(plainValue(codec, 'é'), 'é');
    assert.throws(() => plainValue(codec, Uint8Array.of(0xe9)), MalformedValueError);
  });
});

describe('the placeholder of unchanged TOAST columns', () => {
  it('fits the schema of every type that can be TOASTed', () => {
    const placeholder = DEFAULT_MODES.unavailablePlaceholder;
    const hex = `0x${Buffer.from(placeholder).toString('hex')}`;
    const expected: Record<string, unknown> = {
      numeric: { scale: 0, value: hex },
      varbit: hex,
      tsvector: placeholder,
      _uuid: [placeholder],
      _bytea: [hex],
      _int8: [...Buffer.from(placeholder)].map(BigInt),
      _int2: [...Buffer.from(placeholder)],
      _float8: [...Buffer.from(placeholder)],
      _bool: [false],
      _timestamptz: ['1970-01-01T00:00:00Z'],
    };
    for (const [name, value] of Object.entries(expected)) {
      const codec = builtIn(name);
      assert.deepEqual(plainOf(codec, codec.writeUnavailable), value, name);
    }
    for (const name of ['path', 'polygon', 'lseg', 'box', '_point', '_numrange', '_date', '_interval', '_numeric']) {
      const codec = columnCodec(builtInType(name), -1, DEFAULT_MODES);
      if (codec !== null) assert.notEqual(plainOf(codec, codec.writeUnavailable), undefined, name);
    }
    const hstore = columnCodec(extensionType('hstore'), -1, DEFAULT_MODES)!;
    assert.equal(plainOf(hstore, hstore.writeUnavailable), `{"${placeholder}":"${placeholder}"}`);
  });
});

/** As `array_out` writes it. */
function arrayText(values: readonly (string | null)[]): string {
  const items = values.map((value) => {
    if (value === null) return 'NULL';
    return value === '' || /["\\{},\s]/.test(value) || /^null$/i.test(value) ? quoted(value) : value;
  });
  return `{${items.join(',')}}`;
}

function quoted(value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}
