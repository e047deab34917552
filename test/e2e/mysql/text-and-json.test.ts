import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { SeededRandom } from '../../support/workload-random.ts';

const SINGLE_BYTE = [
  'latin1',
  'latin2',
  'latin5',
  'latin7',
  'greek',
  'hebrew',
  'cp1250',
  'cp1251',
  'cp1256',
  'cp1257',
  'cp866',
  'koi8r',
  'koi8u',
  'macroman',
  'tis620',
  'ascii',
];
const MULTI_BYTE = [
  'gbk',
  'gb2312',
  'big5',
  'sjis',
  'cp932',
  'ujis',
  'eucjpms',
  'euckr',
  'ucs2',
  'utf16',
  'utf16le',
  'utf32',
];
/** Characters of many scripts; what a set does not have is stored as a question mark. */
const SAMPLE =
  'Zwölf Boxkämpfer Ελληνικά Русский עברית العربية ไทย 漢字かな交じり文 中文繁體 한국어 €“”–…™ ½ ÿ ﾊﾝｶｸ ～∥－';

const servers = await testedServers();

for (const { server, label, utf8Charsets, keepsForeignBytes } of servers) {
  it(`${label}: texts of every common character set are what the server makes of them`, { timeout: 360_000 }, () =>
    compareTexts(server, [...MULTI_BYTE, ...utf8Charsets], keepsForeignBytes),
  );
}

/** Bytes that a set does not have are stored by some servers, which print a question mark or U+FFFD for them; we write U+FFFD. */
async function compareTexts(server: MysqlServer, multiByte: readonly string[], keepsForeignBytes: boolean) {
  const asPrinted = (row: Record<string, unknown>): Record<string, unknown> => ({
    ...row,
    t: keepsForeignBytes && row.t === '\ufffd' ? '?' : row.t,
  });
  const name = uniqueName('cs');
  await using database = await createMysqlDatabase(server);
  await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
  const charsets = [...SINGLE_BYTE, ...multiByte];
  try {
    await daemon.start().streaming();
    await database.query("SET SESSION sql_mode = ''");
    for (const charset of charsets) {
      await database.query(
        `CREATE TABLE c_${charset} (id int PRIMARY KEY, t varchar(200) CHARACTER SET ${charset}, s char(20) CHARACTER SET ${charset}, b text CHARACTER SET ${charset})`,
      );
      const rows = SINGLE_BYTE.includes(charset)
        ? Array.from(
            { length: 255 },
            (_, byte) => `(${byte + 1}, _${charset} X'${(byte + 1).toString(16).padStart(2, '0')}', 'x', '')`,
          )
        : [];
      for (const [index, word] of [SAMPLE, ...SAMPLE.split(' ')].entries()) {
        rows.push(`(${index + 1000}, ${quoted(word)}, ${quoted(word.slice(0, 10))}, ${quoted(word.repeat(3))})`);
      }
      await database.query(`INSERT IGNORE INTO c_${charset} VALUES ${rows.join(',')}`);
    }
    const decoder = new AvroDecoder();
    for (const charset of charsets) {
      const stored = await database.query<Record<string, unknown>>(
        `SELECT id, CONVERT(t USING utf8mb4) AS t, CONVERT(s USING utf8mb4) AS s, CONVERT(b USING utf8mb4) AS b FROM c_${charset} ORDER BY id`,
      );
      const topic = `${name}.${database.name}.c_${charset}`;
      await awaitTopicEnds(new Map([[topic, stored.length]]), 90_000);
      const told = await Promise.all(
        (await readTopics([topic])).map(
          async ({ value }) => (await decoder.decode(value)) as { after: Record<string, unknown> },
        ),
      );
      assert.deepEqual(
        told.map(({ after }) => asPrinted(after)).sort((a, b) => Number(a.id) - Number(b.id)),
        stored.map(asPrinted),
        charset,
      );
    }
  } finally {
    await deleteKafkaTopics(name);
  }
}

for (const { server, label } of servers.filter(({ hasBinaryJson }) => hasBinaryJson)) {
  it(`${label}: JSON is the text that the server prints`, { timeout: 360_000 }, () => compareDocuments(server));
}

async function compareDocuments(server: MysqlServer): Promise<void> {
  const name = uniqueName('json');
  const random = new SeededRandom(20_261_121);
  await using database = await createMysqlDatabase(server, ['CREATE TABLE t (id int PRIMARY KEY, j json)']);
  await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
  try {
    await daemon.start().streaming();
    const COUNT = 600;
    for (let first = 1; first <= COUNT; first += 50) {
      const rows = Array.from({ length: 50 }, (_, index) => `(${first + index}, ${document(random, 0)})`);
      await database.query(`INSERT INTO t VALUES ${rows.join(',')}`);
    }
    // A document beyond 64 KiB has wider offsets; partial updates must not be logged as such.
    await database.query(`INSERT INTO t SELECT ${COUNT + 1}, JSON_ARRAYAGG(JSON_OBJECT('n', id, 'j', j)) FROM t`);
    await database.query("UPDATE t SET j = JSON_SET(j, '$.added', 1) WHERE id <= 20");
    const stored = await database.query<{ id: number; j: string }>(
      'SELECT id, CAST(j AS CHAR) AS j FROM t ORDER BY id',
    );
    const topic = `${name}.${database.name}.t`;
    await awaitTopicEnds(new Map([[topic, COUNT + 1]]), 90_000);
    const decoder = new AvroDecoder();
    const folded = new Map<number, unknown>();
    await daemon.until('the updates are told', async () => {
      for (const { value } of await readTopics([topic])) {
        const { after } = (await decoder.decode(value)) as { after: { id: number; j: string } };
        folded.set(after.id, after.j);
      }
      return folded.get(1) === stored[0]!.j;
    });
    for (const { id, j } of stored) assert.equal(folded.get(id), j, `document ${id}`);
  } finally {
    await deleteKafkaTopics(name);
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
}

/** An SQL expression for a random document of every type that JSON can hold. */
function document(random: SeededRandom, depth: number): string {
  const kind = random.int(0, depth > 4 ? 14 : 18);
  switch (kind) {
    case 0:
      return "CAST('null' AS JSON)";
    case 1:
      return "CAST('true' AS JSON)";
    case 2:
      return `CAST(${random.int(-40_000, 40_000)} AS JSON)`;
    case 3:
      return `CAST(${random.int(-2_000_000_000, 2_000_000_000)} AS JSON)`;
    case 4:
      return "CAST('18446744073709551615' AS JSON)";
    case 5:
      return "CAST('-9223372036854775808' AS JSON)";
    case 6:
      return `CAST('${(random.next() - 0.5) * 10 ** random.int(-20, 20)}' AS JSON)`;
    case 7:
      return `CAST('${random.int(-9, 9)}e${random.int(-18, 22)}' AS JSON)`;
    case 8:
      return `CAST(CAST('${random.int(-99999, 99999)}.${random.int(0, 999)}' AS DECIMAL(30,${random.int(0, 10)})) AS JSON)`;
    case 9:
      return `CAST(CAST('2026-0${random.int(1, 9)}-1${random.int(0, 9)}' AS DATE) AS JSON)`;
    case 10:
      return `CAST(CAST('${random.chance(0.5) ? '-' : ''}${random.int(0, 838)}:59:0${random.int(0, 9)}.${random.int(0, 999_999)}' AS TIME(6)) AS JSON)`;
    case 11:
      return `CAST(CAST('1999-12-31 23:59:59.${random.int(0, 999_999)}' AS DATETIME(6)) AS JSON)`;
    case 12:
      return `CAST(X'${random.int(0, 0xffff).toString(16).padStart(4, '0')}' AS JSON)`;
    case 13:
      return `JSON_QUOTE(${quoted(['', 'plain', 'é漢😀', 'quote " back \\ slash /', 'tab\tnew\nline\r\b\f\u0001', 'x'.repeat(random.int(0, 300))][random.int(0, 5)]!)})`
        .replace('JSON_QUOTE', 'CAST(JSON_QUOTE')
        .concat(' AS JSON)');
    case 14:
      return "CAST('{}' AS JSON)";
    case 15:
    case 16:
      return `JSON_ARRAY(${Array.from({ length: random.int(0, 6) }, () => document(random, depth + 1)).join(', ')})`;
    default: {
      const fields = Array.from(
        { length: random.int(0, 6) },
        (_, index) =>
          `${quoted(['a', 'bb', 'é', 'long key of some length', 'Z', '1'][index]!)}, ${document(random, depth + 1)}`,
      );
      return `JSON_OBJECT(${fields.join(', ')})`;
    }
  }
}
