import * as judges from './mysql-type-judges.ts';
import type { ServerFeatures } from './server-features.ts';

/** A column of some type with the values that are inserted into it, as SQL. */
export interface TypeCase {
  readonly type: string;
  readonly judge: judges.Judge;
  readonly values: readonly string[];
}

/** Columns of one table; every value of every column is in some row. */
export interface TypeFamily {
  readonly name: string;
  readonly columns: readonly TypeCase[];
  /** Every row is inserted under each of these again. */
  readonly settings?: readonly string[];
}

const LOREM = "'Zwölf Boxkämpfer 漢字 😀 '";
/** Bytes that do not compress, of any length. */
const noise = (bytes: number) => {
  const parts = Array.from({ length: Math.ceil(bytes / 64) }, (_, index) => `SHA2('${index}', 512)`);
  return `LEFT(UNHEX(CONCAT(${parts.join(',')})), ${bytes})`;
};

export function typeFamilies(features: ServerFeatures): TypeFamily[] {
  const { server, hasVectors } = features;
  const ofMysql = hasVectors ? [{ name: 'vectors', columns: mysqlVectors() }] : [];
  return [
    { name: 'integers', columns: integers() },
    { name: 'decimals', columns: decimals(features) },
    { name: 'floats', columns: floats() },
    { name: 'bits', columns: Array.from({ length: 64 }, (_, index) => bits(index + 1)) },
    { name: 'texts', columns: texts(features) },
    { name: 'binaries', columns: binaries() },
    { name: 'labels', columns: labels() },
    { name: 'times', columns: times(features) },
    { name: 'geometries', columns: geometries(features) },
    ...(server === 'mysql' ? ofMysql : mariadbFamilies(features)),
  ];
}

function integers(): TypeCase[] {
  const of = (name: string, bits: number, judge = judges.integer): TypeCase[] => {
    const half = 2n ** BigInt(bits - 1);
    return [
      { type: name, judge, values: [`${-half}`, `${half - 1n}`, '0', '-1', '1'] },
      { type: `${name} unsigned`, judge, values: ['0', `${half * 2n - 1n}`, `${half}`, `${half - 1n}`, '1'] },
    ];
  };
  const [bigint, bigintUnsigned] = of('bigint', 64, judges.bigint);
  const [int, intUnsigned] = of('int', 32);
  return [
    ...of('tinyint', 8),
    ...of('smallint', 16),
    ...of('mediumint', 24),
    int!,
    { ...intUnsigned!, judge: judges.bigint },
    { type: 'int(7) unsigned zerofill', judge: judges.bigint, values: ['42', '4294967295'] },
    bigint!,
    { ...bigintUnsigned!, judge: judges.bigintUnsigned },
    // Beyond 2^53 doubles would round.
    { type: 'bigint', judge: judges.bigint, values: ['9007199254740993', '-9007199254740993', '-4294967297'] },
    { type: 'year', judge: judges.integer, values: ['0', '1901', '2155', '1970', "'0000'"] },
    { type: 'boolean', judge: judges.integer, values: ['TRUE', 'FALSE', '-128'] },
  ];
}

function decimals({ server }: ServerFeatures): TypeCase[] {
  const sizes = ['65,30', '65,0', '1,0', '1,1', '9,0', '9,9', '10,1', '18,9', '19,10', '20,2', '27,18', '30,30'];
  if (server === 'mariadb') sizes.push('38,38', '65,38');
  return sizes.map((size) => {
    const [digits = 0, scale = 0] = size.split(',').map(Number);
    const number = (whole: string, fraction: string) =>
      `${whole.slice(0, digits - scale) || '0'}${scale === 0 ? '' : `.${fraction.slice(0, scale)}`}`;
    const pattern = '1234567890'.repeat(7);
    const least = scale === 0 ? '1' : `0.${'1'.padStart(scale, '0')}`;
    const numbers = ['0', number('9'.repeat(65), '9'.repeat(65)), number(pattern, pattern), least, '0.5', '1'];
    const values = [...numbers, ...numbers.map((positive) => `-${positive}`)];
    return { type: `decimal(${size})`, judge: judges.decimal, values };
  });
}

function floats(): TypeCase[] {
  const { judge, values } = {
    judge: judges.float,
    values: ['0', '-0e0', '1', '-1.5', '0.1', '1e-30', '-1e30', '16777217', '3.4028234663852886e38', '1.4e-45'],
  };
  const greatest = ['1.7976931348623157e308', '-1.7976931348623157e308', '2.2250738585072014e-308', '5e-324'];
  return [
    { type: 'float', judge, values },
    { type: 'float unsigned', judge, values: ['0', '0.1'] },
    { type: 'float(7,3)', judge, values: ['1234.567', '-9999.999', '0'] },
    { type: 'float(24)', judge, values },
    { type: 'float(53)', judge, values: [...values, ...greatest] },
    { type: 'double', judge, values: [...values, ...greatest, '9007199254740993', '0.30000000000000004'] },
    { type: 'double(20,4)', judge, values: ['1234567890.1234', '-0.0001'] },
    { type: 'real', judge, values },
  ];
}

function bits(count: number): TypeCase {
  const all = '1'.repeat(count);
  const values = [`b'0'`, `b'1'`, `b'${all}'`, `b'${'10'.repeat(32).slice(0, count)}'`, `b'1${'0'.repeat(count - 1)}'`];
  return { type: `bit(${count})`, judge: judges.bit(count), values };
}

function texts({ hasJson }: ServerFeatures): TypeCase[] {
  const judge = judges.text;
  const short = ["''", "'ab'", "'ab  '", "' '", "'\\t\\n\\0\\'\"\\\\'", LOREM];
  const column = (type: string, values: readonly string[] = short): TypeCase => ({ type, judge, values });
  return [
    column('char(30)'),
    column('char(0)', ["''"]),
    column('char(255)', [...short, "REPEAT('😀', 255)"]),
    column('varchar(30)'),
    column('varchar(0)', ["''"]),
    column('varchar(63)', [...short, "REPEAT('😀', 63)"]),
    column('varchar(64)', [...short, "REPEAT('😀', 64)"]),
    column('varchar(3000)', [...short, "REPEAT('ü ', 1500)"]),
    column('tinytext', [...short, "REPEAT('x', 255)"]),
    column('text', [...short, "REPEAT('x', 256)", "REPEAT('y', 65535)"]),
    column('mediumtext', [...short, "REPEAT('z', 65536)", "REPEAT('漢', 90000)"]),
    column('longtext', [...short, "REPEAT('ü', 70000)"]),
    ...(hasJson ? [column('json', [`'{"a": [1, 2.5, null, "ü"]}'`, `'[]'`, `'null'`])] : []),
  ];
}

function binaries(): TypeCase[] {
  const judge = judges.binary;
  const short = ["''", "x'00'", "x'0100'", "x'2020'", "x'00ff00'", "x'010203040000'", "x'fbff3f3e'"];
  const column = (type: string, values: readonly string[] = short): TypeCase => ({ type, judge, values });
  return [
    column('binary(8)'),
    column('binary(0)', ["''"]),
    column('binary(255)', [...short, "REPEAT(x'ff', 255)", "REPEAT(x'00', 255)"]),
    column('varbinary(8)'),
    column('varbinary(255)', [...short, "REPEAT(x'00', 255)"]),
    column('varbinary(256)', [...short, "REPEAT(x'00', 256)"]),
    column('tinyblob', [...short, noise(255)]),
    column('blob', [...short, "REPEAT(x'00ff', 32767)"]),
    column('mediumblob', [...short, "REPEAT(x'80', 65536)"]),
    column('longblob', [...short, "REPEAT(x'0a', 100000)"]),
    column('char(8) character set binary'),
  ];
}

function labels(): TypeCase[] {
  const judge = judges.text;
  const list = (names: readonly string[]) => names.map((name) => `'${name}'`).join(',');
  const members = Array.from({ length: 64 }, (_, index) => `m${index + 1}`);
  const many = Array.from({ length: 300 }, (_, index) => `label ${index + 1}`);
  return [
    // What is no label becomes the label of number 0 where the server is not strict.
    { type: "enum('a','it''s','b,c','ü')", judge, values: ["'a'", "'nope'", '0', "'it''s'", "'b,c'", "'ü'", '4'] },
    { type: "enum('','x')", judge, values: ["''", "'x'", "'nope'", '1'] },
    { type: "enum('ä','ö') character set latin1", judge, values: ["'ä'", "'ö'"] },
    { type: `enum(${list(many)})`, judge, values: ["'label 1'", "'label 255'", "'label 256'", "'label 300'", "''"] },
    { type: "set('a','b c','ü')", judge, values: ["''", "'a'", "'ü,a'", "'a,b c,ü'", "'nope'"] },
    ...[8, 9, 16, 17, 24, 25, 32, 33].map((size): TypeCase => {
      const values = ["''", "'m1'", `'m${size}'`, `'${members.slice(0, size).join(',')}'`];
      return { type: `set(${list(members.slice(0, size))})`, judge, values };
    }),
    {
      type: `set(${list(members)})`,
      judge,
      values: ["''", `'${members.join(',')}'`, '9223372036854775808', "'m1,m64'", '4294967296', '4294967295'],
    },
  ];
}

function times({ server, hasYear2106 }: ServerFeatures): TypeCase[] {
  const zero = ["'0000-00-00'", "'2026-00-00'", "'2026-11-00'", "'0000-11-20'", "'2026-02-30'"];
  const days = ["'0000-01-01'", "'1000-01-01'", "'9999-12-31'", "'1582-10-10'", "'1969-12-31'", "'2024-02-29'"];
  const columns: TypeCase[] = [{ type: 'date', judge: judges.date, values: [...zero, ...days] }];
  for (let digits = 0; digits <= 6; digits++) {
    const least = digits === 0 ? '' : `.${'1'.padStart(digits, '0')}`;
    const most = digits === 0 ? '' : `.${'9'.repeat(digits)}`;
    const half = digits === 0 ? '' : '.5';
    const inDay = [...zero, ...days].flatMap((day) => [
      `'${day.slice(1, -1)} 00:00:00'`,
      `'${day.slice(1, -1)} 23:59:59${most}'`,
    ]);
    columns.push(
      {
        type: `datetime(${digits})`,
        judge: judges.datetime(digits),
        values: [...inDay, `'1969-12-31 12:00:00${least}'`],
      },
      {
        type: `timestamp(${digits}) null`,
        judge: judges.timestamp,
        values: [
          "'0000-00-00 00:00:00'",
          "'1970-01-01 00:00:01'",
          `'2038-01-19 03:14:07${most}'`,
          `'2026-11-20 13:14:15${half}'`,
          `'2026-11-20 13:14:15${least}'`,
          ...(hasYear2106 ? [`'2106-02-07 06:28:15${most}'`] : []),
        ],
      },
      {
        type: `time(${digits})`,
        judge: judges.time,
        values: [
          ...['-838:59:59', '838:59:59', '00:00:00', '-00:00:01', '24:00:00', '23:59:59', '-100:00:00'].map(
            (at) => `'${at}'`,
          ),
          ...['-00:00:00', '00:00:00', '-12:34:56', '837:59:59', '-837:59:59'].flatMap((at) => [
            `'${at}${least}'`,
            `'${at}${most}'`,
          ]),
          // MySQL ends at 838:59:59 sharp.
          ...(server === 'mariadb' ? [`'838:59:59${most}'`, `'-838:59:59${most}'`] : []),
        ],
      },
    );
  }
  return columns;
}

const SHAPES: Readonly<Record<string, readonly string[]>> = {
  point: ['POINT(1 2)', 'POINT(-1.5 2.25)', 'POINT(0 0)'],
  linestring: ['LINESTRING(0 0,1 1,2 0)'],
  polygon: ['POLYGON((0 0,0 10,10 10,10 0,0 0),(2 2,2 4,4 4,4 2,2 2))'],
  multipoint: ['MULTIPOINT((1 2),(3 4))'],
  multilinestring: ['MULTILINESTRING((0 0,1 1),(2 2,3 3))'],
  multipolygon: ['MULTIPOLYGON(((0 0,0 1,1 1,0 0)),((5 5,5 6,6 6,5 5)))'],
  geometrycollection: ['GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))', 'GEOMETRYCOLLECTION EMPTY'],
};

function geometries({ hasMysql8, hasEmptyShapes }: ServerFeatures): TypeCase[] {
  const plain = (shape: string) => `ST_GeomFromText('${shape}')`;
  // 4326 counts latitudes first on MySQL; 3857 is flat.
  const placed = (shape: string) => [`ST_GeomFromText('${shape}', 4326)`, `ST_GeomFromText('${shape}', 3857)`];
  const written = Object.entries(SHAPES).map(
    ([type, shapes]) => [type, shapes.filter((shape) => hasEmptyShapes || !shape.endsWith('EMPTY'))] as const,
  );
  const columns = written.map(([type, shapes]): TypeCase => {
    const values = shapes.flatMap((shape) => [plain(shape), ...placed(shape)]);
    return { type, judge: type === 'point' ? judges.point : judges.geometry, values };
  });
  const any = written.flatMap(([, shapes]) => shapes);
  columns.push({
    type: 'geometry',
    judge: judges.geometry,
    values: any.flatMap((shape) => [plain(shape), ...placed(shape)]),
  });
  if (hasMysql8) {
    columns.push({ type: 'point srid 4326', judge: judges.point, values: ["ST_GeomFromText('POINT(48 11)', 4326)"] });
  }
  return columns;
}

function mysqlVectors(): TypeCase[] {
  const { judge } = { judge: judges.vector };
  const numbers = ['[1,2.5,-3]', '[0,-0,3.4028235e38]', '[1.5e-38,-2e-38,0.1]'];
  return [
    { type: 'vector(3)', judge, values: numbers.map((text) => `TO_VECTOR('${text}')`) },
    { type: 'vector', judge, values: ["TO_VECTOR('[0.1]')", `TO_VECTOR('[${'1.5,'.repeat(2047)}2]')`] },
    { type: 'vector(16383)', judge, values: [`TO_VECTOR('[${'0.25,'.repeat(16_382)}2]')`] },
  ];
}

function mariadbFamilies({ hasVectors }: ServerFeatures): TypeFamily[] {
  const numbers = ['[1,2.5,-3]', '[0,-0,3.4028235e38]', '[1e-38,-1e-38,0.1]'];
  const printed = (type: string, values: readonly string[]): TypeCase => ({
    type,
    judge: judges.printed,
    values: values.map((value) => `'${value}'`),
  });
  const vectors: TypeCase[] = [
    { type: 'vector(3)', judge: judges.vector, values: numbers.map((text) => `VEC_FromText('${text}')`) },
    { type: 'vector(64)', judge: judges.vector, values: [`VEC_FromText('[${'1.5,'.repeat(63)}2]')`] },
  ];
  return [
    {
      name: 'own',
      columns: [
        ...(hasVectors ? vectors : []),
        printed('uuid', [
          '00000000-0000-0000-0000-000000000000',
          'ffffffff-ffff-ffff-ffff-ffffffffffff',
          '123e4567-e89b-12d3-a456-426614174000',
          '019abcde-0000-7000-8000-000000000000',
          'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
          'abcdef00-0000-0000-0000-000000000000',
        ]),
        printed('inet4', ['0.0.0.0', '255.255.255.255', '10.0.0.0', '1.2.3.4', '127.0.0.1']),
        printed('inet6', [
          ...['::', '::1', '1::', '::ffff:1.2.3.4', '::1.2.3.4', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
          ...['2001:db8::', '1:0:0:2::3', '1:2:3:4:5:6:7:0', '0:0:1:0:0:0:0:1', 'fe80::1:0:0', '::ffff', '0:1::'],
          ...['1:0:2:3:4:5:6:7', '0:1:2:3:4:5:6:7', '1:0:2:0:0:4:5:6', '1:0:0:2:0:0:3:4', '0:1:0:1:0:1:0:1', '::1:1'],
        ]),
      ],
    },
    {
      name: 'compressed',
      columns: compressed(),
      settings: [
        'column_compression_zlib_wrap = OFF',
        'column_compression_zlib_wrap = ON',
        'column_compression_zlib_level = 0',
      ],
    },
  ];
}

function compressed(): TypeCase[] {
  const shortTexts = ["''", "' '", "'ab  '", LOREM];
  const text = (type: string, more: readonly string[]): TypeCase => ({
    type: `${type} compressed`,
    judge: judges.text,
    values: [...shortTexts, ...more],
  });
  const bytes = (type: string, more: readonly string[]): TypeCase => ({
    type: `${type} compressed`,
    judge: judges.binary,
    values: ["''", "x'00'", "x'80'", "x'8001'", ...more],
  });
  return [
    text('varchar(60)', ["REPEAT('x', 60)"]),
    text('varchar(63)', ["REPEAT('😀', 63)"]),
    text('varchar(64)', ["REPEAT('😀', 64)"]),
    text('varchar(3000)', ["REPEAT('ü ', 1500)"]),
    text('tinytext', ["REPEAT('x', 250)"]),
    text('text', ["REPEAT('y', 65000)"]),
    text('mediumtext', ["REPEAT('z', 65536)"]),
    text('longtext', ["REPEAT('漢', 70000)"]),
    bytes('varbinary(254)', ["REPEAT(x'00', 254)", noise(254)]),
    bytes('varbinary(255)', ["REPEAT(x'00', 255)", noise(255)]),
    bytes('varbinary(2000)', ["REPEAT(x'00', 2000)", noise(2000)]),
    bytes('tinyblob', ["REPEAT(x'00', 250)", noise(250)]),
    bytes('blob', [noise(3000), "REPEAT(x'01', 65000)"]),
    bytes('mediumblob', ["REPEAT(x'02', 70000)"]),
    bytes('longblob', [noise(200), "REPEAT(x'03', 300000)"]),
  ];
}
