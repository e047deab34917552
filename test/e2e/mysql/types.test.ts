import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { type TypeFamily, typeFamilies } from '../../support/mysql-type-cases.ts';
import type { TypeSettings } from '../../support/mysql-type-judges.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

/** A source for each; together they have every value of every setting. */
const MODES: Readonly<Record<string, TypeSettings>> = {
  default: {},
  texts: { decimal: 'string', time: 'isostring', binary: 'hex', bigint_unsigned: 'precise' },
  connect: { decimal: 'double', time: 'connect', binary: 'base64' },
  nanos: { time: 'nanoseconds', binary: 'base64-url-safe' },
  micros: { time: 'microseconds' },
};

/** Strictness would refuse what is to be published: zero dates, days that are none, labels that are none. */
const LENIENT = "SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'";

interface Change {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/** Of one row, by column. */
type Said = Record<string, string | null>;

for (const features of await testedServers()) {
  const { server, label, canLeaveNamesOut } = features;
  describe(`every type of ${label} is published as the server says it is`, () => {
    // Where the log says less, the catalog has to tell signs, character sets and labels.
    const least = server === 'mysql' ? 'MINIMAL' : 'NO_LOG';
    // The setting, null where the server has none and says the least.
    for (const metadata of canLeaveNamesOut ? ['FULL', least] : [null]) {
      it(`in old rows and new ones, under every setting, metadata ${metadata ?? 'unknown'}`, {
        timeout: 600_000,
      }, async () => {
        const name = uniqueName('types');
        await using database = await createMysqlDatabase(server);
        const prefixOf = (mode: string) => `${name}_${mode}`;
        await using daemon = await Daemon.create({
          sources: Object.entries(MODES).map(([mode, types]) => mysqlSource(prefixOf(mode), database, { types })),
        });
        const families = typeFamilies(features);
        try {
          await daemon.start().streaming();
          await database.query(LENIENT);
          if (metadata !== null) await database.query(`SET GLOBAL binlog_row_metadata = ${metadata}`);
          const said = new Map<string, Map<number, Said>>();
          for (const family of families) {
            await fill(database, family);
            said.set(family.name, await ask(database, family));
            await database.query(`DELETE FROM ${family.name}`);
          }
          for (const [mode, settings] of Object.entries(MODES)) {
            for (const family of families) {
              const rows = said.get(family.name)!;
              const told = await changes(`${prefixOf(mode)}.${database.name}.${family.name}`, rows.size);
              assert.deepEqual([told.created.size, told.deleted.size], [rows.size, rows.size], family.name);
              for (const [id, row] of rows) {
                for (const [index, { type, judge }] of family.columns.entries()) {
                  const text = row[`c${index}`]!;
                  const expected = text === null ? null : judge.expected(text, settings);
                  const where = `${mode}: ${type.slice(0, 60)}, row ${id}: the server says ${String(text).slice(0, 80)}`;
                  assert.deepEqual(plain(told.created.get(id)![`c${index}`]), expected, where);
                  assert.deepEqual(plain(told.deleted.get(id)![`c${index}`]), expected, `${where}, in the old row`);
                }
              }
            }
          }
          assert.equal(await daemon.stop(), 0);
        } finally {
          if (metadata !== null) await database.query('SET GLOBAL binlog_row_metadata = FULL');
          await deleteKafkaTopics(name);
        }
      });
    }
  });
}

/** Puts the values into rows: the first of each column into the first, and so on. The last row is all NULL. */
async function fill(database: MysqlDatabase, { name, columns, settings = [] }: TypeFamily): Promise<void> {
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

/** What the server says of every value, by id. */
async function ask(database: MysqlDatabase, { name, columns }: TypeFamily): Promise<Map<number, Said>> {
  const asked = columns.map(({ judge }, index) => `${judge.ask(`c${index}`)} AS c${index}`);
  const connection = await database.connect();
  try {
    await connection.query(LENIENT);
    // A prepared statement: numbers come as they are, not as text.
    const [rows] = await connection.execute(`SELECT id, ${asked.join(', ')} FROM ${name} ORDER BY id`);
    return new Map((rows as ({ id: number } & Said)[]).map(({ id, ...row }) => [id, row]));
  } finally {
    await connection.end();
  }
}

async function changes(topic: string, rows: number) {
  // An insert, a delete and its tombstone each.
  await awaitTopicEnds(new Map([[topic, rows * 3]]), 60_000);
  const decoder = new AvroDecoder();
  const created = new Map<number, Record<string, unknown>>();
  const deleted = new Map<number, Record<string, unknown>>();
  for (const { value } of await readTopics([topic])) {
    const change = (await decoder.decode(value)) as Change | null;
    if (change?.op === 'c') created.set(Number(change.after!.id), change.after!);
    else if (change?.op === 'd') deleted.set(Number(change.before!.id), change.before!);
  }
  return { created, deleted };
}

/** Without the classes that avsc makes for records. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value) || Array.isArray(value)) return value;
  return { ...value };
}
