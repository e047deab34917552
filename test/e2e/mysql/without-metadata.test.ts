import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import mysql from 'mysql2/promise';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { type ServerFeatures, testedServers } from '../../support/server-features.ts';
import { mysqlUrl } from '../../support/services.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

/** What the log says of columns that follow is the same before and after most of these: only their names differ. */
const FIRST =
  "CREATE TABLE t (id int PRIMARY KEY, a int, b int unsigned, c varchar(10) CHARACTER SET latin1, e enum('x','y','z'))";

interface Step {
  readonly sql: string;
  /** Of an INSERT: the table, and the row with its names as they are then. */
  readonly table?: string;
  readonly row?: Readonly<Record<string, unknown>>;
}

const STEPS: readonly Step[] = [
  insert('t', { id: 1, a: 1, b: 4_294_967_295, c: 'é', e: 'y' }),
  { sql: 'ALTER TABLE t ADD COLUMN d int DEFAULT 7 AFTER a' },
  insert('t', { id: 2, a: 1, d: 2, b: 3, c: 'ß', e: 'x' }),
  { sql: 'ALTER TABLE t DROP COLUMN a' },
  insert('t', { id: 3, d: 5, b: 6, c: 'c', e: 'z' }),
  { sql: 'ALTER TABLE t CHANGE d d2 int' },
  insert('t', { id: 4, d2: -1, b: 7, c: 'd', e: 'z' }),
  { sql: 'DELETE FROM t' },
  { sql: 'ALTER TABLE t MODIFY d2 int unsigned NOT NULL' },
  insert('t', { id: 5, d2: 4_000_000_000, b: 7, c: 'd', e: 'z' }),
  { sql: "ALTER TABLE t MODIFY e enum('z','y','x')" },
  insert('t', { id: 6, d2: 1, b: 8, c: 'e', e: 'z' }),
  { sql: 'ALTER TABLE t MODIFY c varchar(10) CHARACTER SET cp1251' },
  insert('t', { id: 7, d2: 1, b: 9, c: 'я', e: 'x' }),
  { sql: 'DELETE FROM t' },
  { sql: 'ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (d2)' },
  insert('t', { id: 8, d2: 88, b: 9, c: 'я', e: 'x' }),
  { sql: 'RENAME TABLE t TO t2' },
  insert('t2', { id: 9, d2: 99, b: 10, c: 'ю', e: 'x' }),
  { sql: 'CREATE TABLE t (id int PRIMARY KEY, q int, r int unsigned, s varchar(5))' },
  insert('t', { id: 10, q: 1, r: 2, s: '漢' }),
  { sql: 'CREATE TABLE IF NOT EXISTS t (other int)' },
  insert('t', { id: 15, q: 3, r: 4, s: '字' }),
  { sql: 'DROP TABLE t' },
  { sql: 'CREATE TABLE t (id int PRIMARY KEY, r int, q int unsigned, s varchar(5))' },
  insert('t', { id: 11, r: 1, q: 2, s: 'x' }),
  { sql: 'ALTER TABLE t ADD COLUMN u int FIRST, RENAME TO t3' },
  insert('t3', { u: 0, id: 12, r: 1, q: 2, s: 'x' }),
  { sql: 'CREATE TABLE t LIKE t2' },
  insert('t', { id: 13, d2: 13, b: 14, c: 'ё', e: 'y' }),
  { sql: 'RENAME TABLE t TO t4, t2 TO t, t4 TO t2' },
  insert('t', { id: 14, d2: 14, b: 14, c: 'т', e: 'y' }),
];

function insert(table: string, row: Readonly<Record<string, unknown>>): Step {
  const values = Object.values(row).map((value) => mysql.escape(value as string | number));
  return { sql: `INSERT INTO ${table} (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`, table, row };
}

for (const features of await testedServers()) {
  describe(`${features.label}, no names in the log`, () => {
    // The suite runs its files one after another, so nobody else reads meanwhile.
    before(() => leaveNamesOut(features, true));
    after(() => leaveNamesOut(features, false));

    it('rows have the names of their moment, however fast the table changes', { timeout: 300_000 }, async () => {
      await using run = await Run.start(features);
      for (const { sql } of STEPS) await run.database.query(sql);
      await run.check();
      assert.equal(await run.daemon.stop(), 0);
    });

    it('the same where everything happened while the daemon was away', { timeout: 300_000 }, async () => {
      await using run = await Run.start(features);
      await run.daemon.kill();
      for (const { sql } of STEPS) await run.database.query(sql);
      await run.daemon.start().streaming();
      await run.check();
    });

    it('kill −9 between any two statements, and what is read again is the same', { timeout: 480_000 }, async () => {
      await using run = await Run.start(features);
      for (const [index, { sql }] of STEPS.entries()) {
        await run.database.query(sql);
        if (index % 7 !== 6) continue;
        // Without waiting: it may stand before a statement, in it, or behind.
        await run.daemon.kill();
        await run.daemon.start().streaming();
      }
      await run.check();
    });

    it('a table that nobody can know of any more is resync-required, and no row of it is told', {
      timeout: 300_000,
    }, async () => {
      await using run = await Run.start(features);
      await run.database.query(insert('t', { id: 1, a: 1, b: 1, c: 'c', e: 'x' }).sql);
      await run.told(1);
      await run.daemon.kill();
      // Two that change places: too strange to be read, and the catalog knows only what came after.
      await run.database.query('ALTER TABLE t ADD COLUMN a2 int AFTER a');
      await run.database.query('ALTER TABLE t CHANGE a a2 int, CHANGE a2 a int');
      await run.database.query('INSERT INTO t (id, a, a2) VALUES (2, 1, 2)');
      await run.database.query('ALTER TABLE t DROP COLUMN a2');
      run.daemon.start();
      await run.daemon.until('the source wants a resync', async () => {
        return (await run.daemon.status(run.name)).state === 'resync-required';
      });
      const { last_error } = await run.daemon.status(run.name);
      assert.equal(last_error?.code, 'MYSQL_TABLE_UNKNOWN');
      assert.match(last_error?.remedy ?? '', /binlog_row_metadata = FULL/);
      // The first may be told again, the second not at all.
      assert.ok((await run.told(1)).every((row) => (row as { id: unknown }).id === 1));
    });

    it('statements about other tables, and strange ones, change nothing', { timeout: 240_000 }, async () => {
      await using run = await Run.start(features, (database) => ({ tables: { include: [`${database.name}\\.t`] } }));
      const rows = [
        insert('t', { id: 1, a: 1, b: 1, c: 'c', e: 'x' }),
        insert('t', { id: 2, a: 2, b: 2, c: 'd', e: 'y' }),
      ];
      await run.database.query(rows[0]!.sql);
      for (const sql of [
        'CREATE TABLE other (id int PRIMARY KEY, x int)',
        'ALTER TABLE other CONVERT TO CHARACTER SET latin1, ADD y int, RENAME TO another',
        'CREATE VIEW v AS SELECT * FROM t',
        'CREATE TRIGGER tr AFTER INSERT ON another FOR EACH ROW SET @x = NEW.id',
        'ANALYZE TABLE t',
        'CREATE TEMPORARY TABLE t (z int)',
        'DROP TEMPORARY TABLE t',
        'CREATE INDEX i ON t (a)',
        'ALTER TABLE t COMMENT = "told, or not", ENGINE = InnoDB',
      ]) {
        await run.database.query(sql);
      }
      await run.database.query(rows[1]!.sql);
      assert.deepEqual(
        await run.told(2),
        rows.map(({ row }) => row),
      );
    });
  });
}

async function leaveNamesOut({ server, canLeaveNamesOut }: ServerFeatures, left: boolean): Promise<void> {
  if (!canLeaveNamesOut) return;
  const connection = await mysql.createConnection({ uri: mysqlUrl(server) });
  await connection.query(`SET GLOBAL binlog_row_metadata = ${left ? 'MINIMAL' : 'FULL'}`);
  await connection.end();
}

/** A daemon that streams a database with the first table in it. */
class Run implements AsyncDisposable {
  readonly name: string;
  readonly database: MysqlDatabase;
  readonly daemon: Daemon;
  readonly #decoder = new AvroDecoder();

  private constructor(name: string, database: MysqlDatabase, daemon: Daemon) {
    this.name = name;
    this.database = database;
    this.daemon = daemon;
  }

  static async start(
    { server }: ServerFeatures,
    settings: (database: MysqlDatabase) => Record<string, unknown> = () => ({}),
  ): Promise<Run> {
    const name = uniqueName('nameless');
    const database = await createMysqlDatabase(server, [FIRST]);
    const daemon = await Daemon.create({ sources: [mysqlSource(name, database, settings(database))] });
    await daemon.start().streaming();
    return new Run(name, database, daemon);
  }

  /** Rows inserted into `t`. */
  async told(count: number): Promise<unknown[]> {
    const topic = `${this.name}.${this.database.name}.t`;
    await awaitTopicEnds(new Map([[topic, count]]), 90_000);
    return (await this.#inserts(topic)).map(([, row]) => row);
  }

  /** Every row of the steps was told under its names, again at most; in order where nothing was told again. */
  async check(): Promise<void> {
    const tables = [...new Set(STEPS.flatMap(({ table }) => table ?? []))];
    await this.daemon.until('the last row is told', async () => {
      const told = await this.#inserts(`${this.name}.${this.database.name}.t`);
      return told.some(([id]) => id === 14);
    });
    for (const table of tables) {
      const expected = STEPS.filter((step) => step.table === table).map(({ row }) => row);
      const told = await this.#inserts(`${this.name}.${this.database.name}.${table}`);
      const first = new Map<unknown, unknown>();
      for (const [id, row] of told) {
        if (first.has(id)) assert.deepEqual(row, first.get(id), 'what is told again is the same');
        else first.set(id, row);
      }
      assert.deepEqual([...first.values()], expected, table);
    }
  }

  async #inserts(topic: string): Promise<[id: unknown, row: unknown][]> {
    const records = await readTopics([topic]);
    const values = await Promise.all(records.map(({ value }) => this.#decoder.decode(value)));
    return (values as ({ op: string; after: Record<string, unknown> } | null)[]).flatMap((value) =>
      value?.op === 'c' ? [[value.after.id, withNumbers(value.after)] as [unknown, unknown]] : [],
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    await this.database[Symbol.asyncDispose]();
    await deleteKafkaTopics(this.name);
  }
}

function withNumbers(row: Record<string, unknown>): Record<string, unknown> {
  const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]));
}
