import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { rewriteTopic } from '../../support/topic-damage.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { tableOf, verify } from '../../support/verify-command.ts';

const tables = (json: string) => [
  `CREATE TABLE items (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40), price decimal(10,2) DEFAULT 1, at datetime(3),
    seen timestamp(6) NULL, doc ${json}, bin varbinary(20), kind enum('a','b'), flags set('x','y'), day date, n bigint unsigned)`,
  'CREATE TABLE pairs (a int, b varchar(20), note text, PRIMARY KEY (b, a))',
  'CREATE TABLE bare (k varchar(20), n int)',
];

for (const { server, label, hasJson } of await testedServers()) {
  describe(label, () => {
    it('tables are equal to what the stream published of them, also while they change, and damage is named', {
      timeout: 360_000,
    }, async () => {
      const name = uniqueName('verify');
      await using database = await createMysqlDatabase(server, tables(hasJson ? 'json' : 'text'));
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      const table = (of: string) => `${database.name}.${of}`;
      try {
        await daemon.start().streaming();
        for (let i = 1; i <= 60; i++) {
          await database.query(
            `INSERT INTO items VALUES (?, ?, ?, '2026-01-02 03:04:05.678', '2026-01-02 03:04:05.1', '{"a": [1, 2.50]}', ?, 'b', 'x,y',
              '2026-02-03', 18446744073709551615)`,
            [i, `näme ${i}`, i * 1.5, Buffer.from([i, 0, 255])],
          );
          await database.query('INSERT INTO pairs VALUES (?, ?, ?)', [i, `b${i % 7}`, `note ${i}`]);
          await database.query("INSERT INTO bare VALUES ('same', ?)", [i % 3]);
        }
        await database.query('UPDATE items SET price = NULL, name = NULL WHERE id % 10 = 0');
        await database.query('DELETE FROM items WHERE id % 7 = 0');
        await database.query('UPDATE pairs SET a = a + 1000 WHERE a < 5');
        await database.query("UPDATE bare SET k = 'other' WHERE n = 0");
        await database.query('DELETE FROM bare LIMIT 1');

        const verifying = verify(daemon.configPath, name);
        let isOver = false;
        void verifying.finally(() => {
          isOver = true;
        });
        for (let i = 1; !isOver; i++) {
          await database.query('UPDATE items SET price = price + 1 WHERE id IN (1, 2, 3)');
          await database.query('INSERT INTO items (name) VALUES (?)', [`later ${i}`]);
          await database.query('UPDATE bare SET n = n + 1 WHERE n = ?', [i % 5]);
        }
        const equal = await verifying;
        assert.equal(equal.code, 0, JSON.stringify(equal.report, null, 1) + equal.stderr);
        assert.deepEqual(equal.report?.tables.map(({ table: of }) => of).sort(), [
          table('bare'),
          table('items'),
          table('pairs'),
        ]);
        assert.equal(tableOf(equal, table('pairs')).rows, 60);

        // Which also waits for what is still to be published.
        assert.equal((await verify(daemon.configPath, name)).code, 0);
        assert.equal(await daemon.stop(), 0);
        await rewriteTopic(`${name}.${table('pairs')}`, (records) => records.slice(0, -1));
        await rewriteTopic(`${name}.${table('bare')}`, (records) => records.slice(1));
        const damaged = await verify(daemon.configPath, name);
        assert.equal(damaged.code, 3, damaged.stderr);
        assert.equal(tableOf(damaged, table('items')).verdict, 'equal');
        const pairs = tableOf(damaged, table('pairs'));
        assert.deepEqual([pairs.missing, pairs.counts.extra, pairs.counts.different], [[{ b: 'b4', a: 1004 }], 0, 0]);
        const bare = tableOf(damaged, table('bare'));
        assert.equal(bare.verdict, 'different');
        assert.equal(bare.counts.missing + bare.counts.extra, 1);
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  });
}
