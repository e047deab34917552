import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { testedServers } from '../../support/server-features.ts';
import { uniqueName } from '../../support/unique-name.ts';

const SCHEMA = [
  'CREATE TABLE dbz_signal (id varchar(42) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))',
  'CREATE TABLE a (x varchar(8), id int, PRIMARY KEY (x, id))',
  "INSERT INTO a VALUES ('a', 1), ('b', 2), ('z', 9)",
];

for (const { server, label } of await testedServers()) {
  test(`rows of the signal table of ${label} snapshot tables`, { timeout: 360_000 }, async () => {
    const name = uniqueName('signals');
    await using database = await createMysqlDatabase(server, SCHEMA);
    const source = mysqlSource(name, database, {
      tables: { include: [`${database.name}\\.a`] },
      signals: { table: `${database.name}.dbz_signal` },
      notifications: { topic: `${name}.notifications` },
    });
    await using daemon = await Daemon.create({ sources: [source] });
    const signal = (id: string, type: string, data: unknown) =>
      database.query('INSERT INTO dbz_signal VALUES (?, ?, ?)', [id, type, JSON.stringify(data)]);
    const table = `${database.name}.a`;
    try {
      await daemon.start().streaming();
      await signal('say', 'log', { message: 'heard by the daemon' });
      const conditions = [{ 'data-collection': table, filter: 'id > 1' }];
      await signal('sig-1', 'execute-snapshot', { 'data-collections': [table], 'additional-conditions': conditions });
      const end = await daemon.until('the snapshot has ended', async () => {
        const { snapshot } = await daemon.status(name);
        return snapshot !== null && snapshot.ended_at !== null ? snapshot : null;
      });
      assert.deepEqual(
        end.tables.map((each) => [each.table, each.rows]),
        [[table, 2]],
      );
      const reads = (await readEnvelopes(`${name}.${table}`)).filter(({ op }) => op === 'r');
      assert.deepEqual(
        reads.map(({ after }) => [after?.x, after?.id]),
        [
          ['b', 2],
          ['z', 9],
        ],
      );
      assert.match(daemon.output, /heard by the daemon/);
      assert.equal((await readEnvelopes(`${name}.${database.name}.dbz_signal`)).length, 2);
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}
