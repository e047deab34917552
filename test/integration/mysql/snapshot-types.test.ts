import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MySqlPosition } from '../../../connectors/mysql/positions.ts';
import { AvroWriter } from '../../../src/avro/avro-writer.ts';
import { envelopeSchemas } from '../../../src/avro/envelope-schema.ts';
import { RowPlan } from '../../../src/avro/row-plan.ts';
import { avroSchemaText } from '../../../src/avro/schema-text.ts';
import { type ChangeBatch, ChangeKind } from '../../../src/core/change-batch.ts';
import type { SnapshotTable } from '../../../src/core/snapshot.ts';
import { RowCells, type TableVersion } from '../../../src/core/table.ts';
import { chunkOf, drain, type LabStream, SnapshotLab } from '../../support/mysql-snapshot.ts';
import { KEYS, NUMBERS } from '../../support/mysql-snapshot-keys.ts';
import { type TypeFamily, typeFamilies } from '../../support/mysql-type-cases.ts';
import type { TypeSettings } from '../../support/mysql-type-judges.ts';
import { testedServers } from '../../support/server-features.ts';

const MODES: Readonly<Record<string, TypeSettings>> = {
  default: {},
  texts: { decimal: 'string', time: 'isostring', binary: 'hex', bigint_unsigned: 'precise' },
  connect: { decimal: 'double', time: 'connect', binary: 'base64' },
  nanos: { time: 'nanoseconds', binary: 'base64-url-safe' },
  micros: { time: 'microseconds' },
};

const LENIENT = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'";

const SAMPLE =
  'Zwölf Boxkämpfer Ελληνικά Русский עברית العربية ไทย 漢字かな交じり文 中文繁體 한국어 €“”–…™ ½ ÿ ﾊﾝｶｸ 😀';

const SHAPES: readonly string[] = [
  `CREATE TABLE defaults (id int PRIMARY KEY COMMENT 'a ''comment''', a int NOT NULL DEFAULT 7, b varchar(20) DEFAULT 'it''s',
     c datetime NOT NULL DEFAULT CURRENT_TIMESTAMP, d timestamp(3) NOT NULL DEFAULT '2001-02-03 04:05:06.789',
     e decimal(9,3) unsigned zerofill NOT NULL DEFAULT 1.5, f enum('x','y') NOT NULL DEFAULT 'y', g date NOT NULL DEFAULT '2020-02-29',
     h bit(9) DEFAULT b'101', i year NOT NULL DEFAULT 2024, j bigint unsigned zerofill, k timestamp NULL DEFAULT CURRENT_TIMESTAMP,
     l double unsigned DEFAULT 0.1)`,
  `INSERT INTO defaults (id, g) VALUES (1, '0000-00-00'), (2, '2026-02-30')`,
  'INSERT INTO defaults (id, e, j) VALUES (3, 0, 42), (4, 999999.999, 18446744073709551615)',
  'CREATE TABLE keyless (a int, b varchar(10), c float)',
  "INSERT INTO keyless VALUES (1, 'x', 0.1), (2, 'y', 1e30), (NULL, NULL, NULL)",
  'CREATE TABLE unique_key (a int NOT NULL, b varchar(30) NOT NULL, c int, UNIQUE u (b, a), UNIQUE w (c))',
  "INSERT INTO unique_key VALUES (1, 'x', 1), (2, 'y', 2)",
  'CREATE TABLE prefix_key (a varchar(40) NOT NULL, b int, PRIMARY KEY (a(5)))',
  "INSERT INTO prefix_key VALUES ('abcdefg', 1), ('xyz', 2)",
  'CREATE TABLE `ta``ble ü.x` (`i``d` int PRIMARY KEY, `a b` int, `ü.漢` varchar(5), `SELECT` int)',
  "INSERT INTO `ta``ble ü.x` VALUES (1, 2, 'x', 4)",
  "CREATE TABLE enum_key (e enum('z','a','m'), s set('b','a'), v int, PRIMARY KEY (e, s))",
  "INSERT INTO enum_key VALUES ('a', 'a,b', 1), ('z', '', 2), ('m', 'b', 3), ('z', 'a', 4)",
];

/** Where there are generated columns. */
const COMPUTED: readonly string[] = [
  "CREATE TABLE computed (id int PRIMARY KEY, a int, v int AS (a * 2) VIRTUAL, s varchar(20) AS (CONCAT(a, '!')) STORED)",
  'INSERT INTO computed (id, a) VALUES (1, 5), (2, NULL)',
];

const MYSQL_SHAPES: readonly string[] = [
  ...COMPUTED,
  'CREATE TABLE invisible (id int PRIMARY KEY, a int INVISIBLE, b int)',
  'INSERT INTO invisible (id, a, b) VALUES (1, 2, 3)',
  'CREATE TABLE functional (id int PRIMARY KEY, a int, UNIQUE f ((a + 1)))',
  'INSERT INTO functional VALUES (1, 2)',
  'CREATE TABLE expressions (id int PRIMARY KEY, a varchar(40) DEFAULT (UUID()), j json DEFAULT (JSON_ARRAY(1)))',
  'INSERT INTO expressions (id) VALUES (1)',
  'CREATE TABLE partitioned (id int PRIMARY KEY, a int) PARTITION BY HASH (id) PARTITIONS 3',
  'INSERT INTO partitioned VALUES (1, 2), (2, 3), (3, 4)',
  'CREATE TABLE documents (id int PRIMARY KEY, j json)',
  `INSERT INTO documents VALUES (1, CAST(CAST('1999-12-31 23:59:59.25' AS DATETIME(6)) AS JSON)), (2, CAST(X'cafe' AS JSON)),
     (3, JSON_OBJECT('b', 1.0, 'a', JSON_ARRAY(1e22, -0.0, CAST(1.50 AS DECIMAL(5,2)), 18446744073709551615), 'é', '😀"\\\\')),
     (4, JSON_ARRAY(REPEAT('x', 70000)))`,
];

const MARIADB_SHAPES: readonly string[] = [
  ...COMPUTED,
  'CREATE TABLE invisible (id int PRIMARY KEY, a int INVISIBLE DEFAULT 4, b int)',
  'INSERT INTO invisible (id, a, b) VALUES (1, 2, 3)',
  "CREATE TABLE expressions (id int PRIMARY KEY, a varchar(40) DEFAULT (CONCAT('a', id)), j json)",
  `INSERT INTO expressions (id, j) VALUES (1, '{"a":  1}')`,
  'CREATE TABLE partitioned (id int PRIMARY KEY, a int) PARTITION BY HASH (id) PARTITIONS 3',
  'INSERT INTO partitioned VALUES (1, 2), (2, 3), (3, 4)',
];

/** Encoded values of one table, and what its version says. */
interface Encoded {
  readonly version: TableVersion;
  readonly schema: string;
  /** By id, then by column: bytes in hexadecimal. */
  readonly rows: Map<string, string[]>;
}

const cells = new RowCells(80);
const writer = new AvroWriter();

/** Encodes each row of the batch as the daemon does, column by column. */
function encode(
  batch: ChangeBatch<MySqlPosition>,
  tables: Map<string, Encoded>,
  lab: SnapshotLab,
  all: readonly SnapshotTable[],
  block: unknown,
) {
  for (let index = 0; index < batch.count; index++) {
    const kind = batch.kinds[index];
    if (kind !== ChangeKind.read && kind !== ChangeKind.insert) continue;
    const version = batch.versions[index]!;
    const encoded = tables.get(version.id.name) ?? { version, schema: schemaOf(version, block), rows: new Map() };
    tables.set(version.id.name, encoded);
    assert.equal(version, encoded.version, 'one object for one version');
    version.locate(batch, index, 'after', cells);
    const values = version.columns.map((column, at) => {
      writer.reset();
      new RowPlan('t', [{ index: at, column }], [column.name]).write(writer, batch, cells, 'after');
      return writer.buffer.toString('hex', 0, writer.length);
    });
    const table = all.find(({ id }) => id.name === version.id.name)!;
    const key = lab.reader.keyOf(table, batch, index);
    assert.equal(key === null, table.key === null);
    encoded.rows.set(key === null ? values.join() : JSON.stringify(key), values);
  }
}

function schemaOf(version: TableVersion, block: unknown): string {
  const value = version.columns.map((column, index) => ({ index, column }));
  const shape = { version, topic: 't', value, key: version.key?.map((index) => value[index]!) ?? null };
  const schemas = envelopeSchemas(shape, block as never, { schemaNames: 'avro_unicode', fieldNames: 'avro_unicode' });
  return avroSchemaText(schemas.envelope) + (schemas.key === null ? '' : avroSchemaText(schemas.key));
}

async function fill({ database }: SnapshotLab, { name, columns, settings = [] }: TypeFamily) {
  const definitions = columns.map(({ type }, index) => `c${index} ${type}`);
  await database.query(`CREATE TABLE ${name} (id int AUTO_INCREMENT PRIMARY KEY, ${definitions.join(', ')})`);
  const names = columns.map((_, index) => `c${index}`);
  const count = Math.max(...columns.map(({ values }) => values.length)) + 1;
  for (const setting of settings.length === 0 ? [null] : settings) {
    if (setting !== null) await database.query(`SET SESSION ${setting}`);
    for (let row = 0; row < count; row++) {
      const values = columns.map(({ values }) => values[row] ?? 'NULL');
      await database.query(`INSERT INTO ${name} (${names.join(', ')}) VALUES (${values.join(', ')})`);
    }
  }
}

/** What the stream says of the tables, once it has told `rows` rows. */
async function streamed(lab: SnapshotLab, stream: LabStream, rows: number) {
  const all = await lab.reader.readTables(lab.signal);
  const tables = new Map<string, Encoded>();
  let seen = 0;
  for await (const batch of stream.changes) {
    encode(batch, tables, lab, all, stream.session.sourceBlock.schema);
    for (let index = 0; index < batch.count; index++) if (batch.kinds[index] === ChangeKind.insert) seen += 1;
    batch.release();
    if (seen >= rows) return tables;
  }
  throw new Error('the stream ended');
}

async function readAll(lab: SnapshotLab, block: unknown): Promise<Map<string, Encoded>> {
  const all = await lab.reader.readTables(lab.signal);
  await using view = await lab.view(all);
  const tables = new Map<string, Encoded>();
  for (const table of all) {
    await drain(view.read(chunkOf(table), 0, lab.signal), (batch) => encode(batch, tables, lab, all, block));
  }
  return tables;
}

function compare(
  read: Map<string, Encoded>,
  stream: Map<string, Encoded>,
  typeOf: (table: string, at: number) => string,
) {
  assert.deepEqual([...read.keys()].sort(), [...stream.keys()].sort());
  for (const [name, ofStream] of stream) {
    const ofRead = read.get(name)!;
    assert.equal(ofRead.schema, ofStream.schema, name);
    for (const [at, column] of ofStream.version.columns.entries()) {
      const { codec: _read, ...one } = ofRead.version.columns[at]!;
      const { codec: _stream, ...other } = column;
      assert.equal(JSON.stringify(one), JSON.stringify(other), `${name} ${typeOf(name, at)}`);
    }
    assert.deepEqual(ofRead.version.key, ofStream.version.key, name);
    assert.equal(ofRead.version.fingerprint, ofStream.version.fingerprint, name);
    assert.deepEqual([...ofRead.rows.keys()].sort(), [...ofStream.rows.keys()].sort(), name);
    for (const [id, values] of ofStream.rows) {
      for (const [at, value] of values.entries()) {
        const where = `${name} ${typeOf(name, at)}, row ${id}`;
        assert.equal(ofRead.rows.get(id)![at]!.slice(0, 200), value.slice(0, 200), where);
        assert.equal(ofRead.rows.get(id)![at], value, where);
      }
    }
  }
}

/** Reads every table of the database and compares it with what the stream said of it. */
async function compareAll(lab: SnapshotLab, stream: LabStream, typeOf: (table: string, at: number) => string) {
  const tables = await lab.reader.readTables(lab.signal);
  const names = tables.map(({ id }) => `\`${id.name.replaceAll('`', '``')}\``);
  const rows = await countRows(lab, names);
  assert.ok(rows > 0);
  const read = await readAll(lab, stream.session.sourceBlock.schema);
  compare(read, await streamed(lab, stream, rows), typeOf);
}

async function countRows({ database }: SnapshotLab, names: readonly string[]): Promise<number> {
  let rows = 0;
  for (const name of names) {
    rows += Number((await database.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${name}`))[0]!.n);
  }
  return rows;
}

for (const features of await testedServers()) {
  const { server, label } = features;
  describe(`${label}: a row that is read and one that is streamed have the same bytes`, () => {
    for (const [mode, types] of Object.entries(MODES)) {
      it(`of every type, ${mode}`, { timeout: 360_000 }, async () => {
        await using lab = await SnapshotLab.open(server, { types });
        await using session = await lab.stream();
        await lab.database.query(LENIENT);
        const families = typeFamilies(features);
        for (const family of families) await fill(lab, family);
        const byName = new Map(families.map((family) => [family.name, family]));
        await compareAll(lab, session, (table, at) => byName.get(table)!.columns[at - 1]?.type.slice(0, 60) ?? 'id');
      });
    }

    it('of every character set', { timeout: 360_000 }, async () => {
      await using lab = await SnapshotLab.open(server);
      await using session = await lab.stream();
      await lab.database.query("SET SESSION sql_mode = ''");
      const charsets = await lab.database.query<{ name: string }>(
        "SELECT CHARACTER_SET_NAME AS name FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary'",
      );
      assert.ok(charsets.length > 30);
      for (const { name } of charsets.filter((charset) => charset.name !== 'filename')) {
        await lab.database.query(
          `CREATE TABLE c_${name} (id int PRIMARY KEY, t varchar(200), s char(20), b text, e enum('x', 'abc')) CHARACTER SET ${name}`,
        );
        const words = [SAMPLE, ...SAMPLE.split(' '), 'x  ', '', ' '];
        for (const [index, word] of words.entries()) {
          await lab.database.query(`INSERT IGNORE INTO c_${name} VALUES (?, ?, ?, ?, ?)`, [
            index,
            word,
            word.slice(0, 10),
            word.repeat(3),
            index % 2 === 0 ? 'abc' : 'x',
          ]);
        }
        await lab.database.query(
          `INSERT IGNORE INTO c_${name} SELECT 1000 + n, CONVERT(UNHEX(CONCAT(HEX(n + 160), HEX(n + 161))) USING ${name}), '', '', 'x'
             FROM (SELECT 1 AS n UNION SELECT 20 UNION SELECT 40 UNION SELECT 60 UNION SELECT 90) numbers`,
        );
      }
      await compareAll(lab, session, (_, at) => String(at));
    });

    if (server === 'mariadb') {
      it('but those of tables with a history, which are refused', async () => {
        await using lab = await SnapshotLab.open(server);
        await lab.database.query('CREATE TABLE versioned (id int PRIMARY KEY, a int) WITH SYSTEM VERSIONING');
        const [table] = await lab.reader.readTables(lab.signal);
        await using view = await lab.view([table!]);
        await assert.rejects(
          drain(view.read(chunkOf(table!), 0, lab.signal), () => {}),
          { code: 'MYSQL_SNAPSHOT_SYSTEM_VERSIONED' },
        );
      });
    }

    it('and the same keys, of every type', { timeout: 360_000 }, async () => {
      await using lab = await SnapshotLab.open(server);
      await using session = await lab.stream();
      await lab.database.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
      for (const [index, { columns, key, values }] of KEYS.entries()) {
        await lab.database.query(`CREATE TABLE k${index} (id int NOT NULL, ${columns}, PRIMARY KEY (${key}))`);
        await lab.database.query(`INSERT INTO k${index} SELECT n, ${values} FROM ${NUMBERS} WHERE n < 20`);
      }
      if (server === 'mariadb') {
        await lab.database.query('CREATE TABLE u (k uuid, l inet4, m inet6, PRIMARY KEY (k, l, m))');
        await lab.database.query(
          "INSERT INTO u VALUES ('123e4567-e89b-12d3-a456-426614174000', '10.0.0.0', '1:0:2::')",
        );
      }
      await lab.database.query(
        'CREATE TABLE z (k decimal(9,3) zerofill, l set("a","b"), m year, PRIMARY KEY (k, l, m))',
      );
      await lab.database.query('INSERT INTO z VALUES (0.5, "b,a", 0), (12, "", 1999), (99999.25, "b", 2155)');
      await compareAll(lab, session, (table, at) => `${table} ${at}`);
    });

    it('of tables of every shape', { timeout: 360_000 }, async () => {
      await using lab = await SnapshotLab.open(server);
      await using session = await lab.stream();
      await lab.database.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
      for (const statement of [
        ...SHAPES,
        ...(features.hasMysql8 ? MYSQL_SHAPES : server === 'mysql' ? [] : MARIADB_SHAPES),
      ]) {
        await lab.database.query(statement);
      }
      await compareAll(lab, session, (_, at) => String(at));
    });
  });
}
