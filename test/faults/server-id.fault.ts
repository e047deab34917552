import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../support/mysql-database.ts';
import { readIds } from '../support/read-rows.ts';
import { testedServers } from '../support/server-features.ts';
import { uniqueName } from '../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

for (const { server, label } of await testedServers()) {
  test(`${label}: two sources with one server id take turns: each is told which id is taken, and nothing is lost`, {
    timeout: 360_000,
  }, async () => {
    const names = [uniqueName('twin'), uniqueName('twin')];
    await using database = await createMysqlDatabase(server, [TABLE]);
    const serverId = 900_000_000 + Math.floor(Math.random() * 90_000_000);
    const daemons = await Promise.all(
      names.map((name) => Daemon.create({ sources: [mysqlSource(name, database, { server_id: serverId })] })),
    );
    try {
      await daemons[0]!.start().streaming();
      await database.query('INSERT INTO t VALUES (1)');
      await awaitTopicEnds(new Map([[`${names[0]}.${database.name}.t`, 1]]), 90_000);
      await daemons[1]!.start();
      await daemons[0]!.until('the first is told that its id is taken', async () => {
        const { last_error } = await daemons[0]!.status(names[0]!);
        return last_error?.code === 'MYSQL_SERVER_ID_IN_USE' ? /server_id of its own/.test(last_error.remedy) : null;
      });
      await database.query('INSERT INTO t VALUES (2), (3)');
      await daemons[0]!.until(
        'both told the last row',
        async () => {
          const told = await Promise.all(names.map((name) => readIds(`${name}.${database.name}.t`)));
          return told.every((ids) => ids.includes(3));
        },
        60_000,
      );
      assert.deepEqual([...new Set(await readIds(`${names[0]}.${database.name}.t`))], [1, 2, 3]);
    } finally {
      for (const daemon of daemons) await daemon[Symbol.asyncDispose]();
      for (const name of names) await deleteKafkaTopics(name);
    }
  });
}
