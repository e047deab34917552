import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import mysql from 'mysql2/promise';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v int)';

interface SchemaChange {
  readonly ddl: string;
  readonly tableChanges: readonly { readonly id: string; readonly type: string }[];
}

for (const { server, label } of await testedServers()) {
  describe(`statements of ${label}`, () => {
    // Under binlog_format = STATEMENT these are in the log instead of the rows that they change.
    const hidden = ['SELECT changes_t()', 'SET @x = changes_t()'];
    if (server === 'mariadb') {
      hidden.push(
        'ANALYZE UPDATE t SET v = 2',
        'SET STATEMENT max_statement_time = 60 FOR INSERT INTO t VALUES (3, 3)',
      );
    }
    for (const statement of hidden) {
      it(`${statement} in place of its rows stops the source`, { timeout: 240_000 }, async () => {
        const name = uniqueName('hidden');
        await using database = await createMysqlDatabase(server, [
          TABLE,
          'INSERT INTO t VALUES (1, 1)',
          `CREATE FUNCTION changes_t() RETURNS int DETERMINISTIC MODIFIES SQL DATA
             BEGIN INSERT INTO t VALUES (2, 2); RETURN 1; END`,
        ]);
        await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
        try {
          await daemon.start().streaming();
          await database.query("SET SESSION binlog_format = 'STATEMENT'");
          await database.query(statement);
          await database.query("SET SESSION binlog_format = 'ROW'");
          await daemon.until('the source has failed', async () => (await daemon.status(name)).state === 'failed');
          assert.equal((await daemon.status(name)).last_error?.code, 'MYSQL_STATEMENT_FORMAT');
        } finally {
          await deleteKafkaTopics(name);
        }
      });
    }

    it('that make or change captured tables are understood, however they are written', {
      timeout: 240_000,
    }, async () => {
      const name = uniqueName('ddl');
      await using database = await createMysqlDatabase(server, [TABLE, 'INSERT INTO t VALUES (1, 1), (2, 2)']);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      const latin = await mysql.createConnection({
        uri: database.url,
        database: database.name,
        charset: 'latin1_swedish_ci',
      });
      try {
        await daemon.start().streaming();
        const statements = [
          'CREATE TABLE copied SELECT * FROM t',
          "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
          `ALTER TABLE "t" COMMENT 'ends with \\', RENAME TO "re""named"`,
          "SET SESSION sql_mode = ''",
          '/*!50001 ALTER */ /* TABLE x */ TABLE `re"named` ALTER COLUMN v SET DEFAULT 5',
          'RENAME TABLE `re"named` TO t',
          'CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2',
          'ALTER TABLE parted TRUNCATE PARTITION p0',
        ];
        if (server === 'mariadb') statements.push('SET STATEMENT max_statement_time = 60 FOR ALTER TABLE t ADD w int');
        for (const statement of statements) await database.query(statement);
        await latin.query('CREATE TABLE `tä` (id int PRIMARY KEY)');
        await latin.query("ALTER TABLE `tä` ADD COLUMN o int COMMENT 'ö'");
        await latin.query('INSERT INTO `tä` (id) VALUES (1)');
        await database.query('INSERT INTO t (id) VALUES (3)');
        await daemon.until('the last row is told', async () => {
          const { changes_total, last_error } = await daemon.status(name);
          assert.equal(last_error, null, last_error?.message);
          return changes_total >= 4;
        });
        await awaitTopicEnds(new Map([[`${name}.${database.name}.t`, 1]]), 90_000);
        const decoder = new AvroDecoder();
        const decoded = async (topic: string) =>
          Promise.all((await readTopics([topic])).map(({ value }) => decoder.decode(value)));
        const told = (await decoded(name)) as SchemaChange[];
        const id = (table: string) => `"${database.name}"."${table}"`;
        assert.deepEqual(
          told.map(({ tableChanges }) => tableChanges.map((change) => `${change.type} ${change.id}`).join()),
          [
            `CREATE ${id('copied')}`,
            `ALTER ${id('re"named')}`,
            `ALTER ${id('re"named')}`,
            `ALTER ${id('t')}`,
            `CREATE ${id('parted')}`,
            `ALTER ${id('parted')}`,
            ...(server === 'mariadb' ? [`ALTER ${id('t')}`] : []),
            `CREATE ${id('tä')}`,
            `ALTER ${id('tä')}`,
          ],
        );
        assert.match(daemon.output, /does not say which rows came or went/, 'a partition was emptied');
        assert.match(told.at(-1)!.ddl, /`tä` ADD COLUMN o int COMMENT 'ö'/);
        const rows = (await decoded(`${name}.${database.name}.copied`)) as { op: string; after: { id: number } }[];
        assert.deepEqual(
          rows.map(({ op, after }) => `${op}${after.id}`),
          ['c1', 'c2'],
        );
        const [{ after }] = (await decoded(`${name}.${database.name}.t`)) as [{ after: object }];
        assert.deepEqual({ ...after }, { id: 3, v: 5, ...(server === 'mariadb' ? { w: null } : {}) });
        assert.equal(await daemon.stop(), 0);
      } finally {
        latin.destroy();
        await deleteKafkaTopics(name);
      }
    });
  });
}
