import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY, v varchar(40))';

async function newestFile(database: MysqlDatabase): Promise<string> {
  const files = await database.query<{ Log_name: string }>('SHOW BINARY LOGS');
  return files.at(-1)!.Log_name;
}

/** Removes all files but the newest. One that a connection reads, or did a moment ago, stays. */
async function purge(database: MysqlDatabase): Promise<void> {
  const newest = await newestFile(database);
  await awaitUntil('the older binlogs are gone', async () => {
    await database.query(`PURGE BINARY LOGS TO '${newest}'`);
    return (await database.query('SHOW BINARY LOGS')).length === 1;
  });
}

for (const { server, label, hasGtids } of await testedServers()) {
  describe(`${label}, ${hasGtids ? 'GTIDs' : 'file and position'}`, () => {
    it('nothing is lost or told under two positions where the log goes on in other files, also over kill −9', {
      timeout: 300_000,
    }, async () => {
      const name = uniqueName('files');
      await using database = await createMysqlDatabase(server, [TABLE]);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      const topic = `${name}.${database.name}.t`;
      try {
        await daemon.start().streaming();
        const expected: number[] = [];
        for (let round = 1; round <= 6; round++) {
          for (let row = 0; row < 5; row++) {
            expected.push(round * 10 + row);
            await database.query('INSERT INTO t VALUES (?, ?)', [round * 10 + row, 'x'.repeat(row * 9)]);
          }
          await database.query('FLUSH BINARY LOGS');
          if (round % 2 === 1) await daemon.kill();
          else await daemon.start().streaming();
        }
        await awaitTopicEnds(new Map([[topic, expected.length]]), 90_000);
        const decoder = new AvroDecoder();
        const places = new Map<number, string>();
        for (const { value } of await readTopics([topic])) {
          const { after, source } = (await decoder.decode(value)) as {
            after: { id: number };
            source: { file: string; pos: bigint; row: number };
          };
          const place = `${source.file}:${source.pos}:${source.row}`;
          assert.equal(places.get(after.id) ?? place, place, 'what is told again has the same place');
          places.set(after.id, place);
        }
        assert.deepEqual([...places.keys()], expected);
        assert.equal(new Set(places.values()).size, expected.length);
      } finally {
        await deleteKafkaTopics(name);
      }
    });

    it('the checkpoint of an idle source goes on to the new file', { timeout: 240_000 }, async () => {
      const name = uniqueName('idle');
      await using database = await createMysqlDatabase(server, [TABLE]);
      // Nothing of the server is captured.
      const source = mysqlSource(name, database, { tables: { include: [`${database.name}\\.none`] } });
      await using daemon = await Daemon.create({ sources: [source] });
      await daemon.start().streaming();
      for (let round = 0; round < 2; round++) {
        await database.query('FLUSH BINARY LOGS');
        const file = await newestFile(database);
        await daemon.until(`the checkpoint is in ${file}`, async () =>
          (await daemon.status(name)).position?.startsWith(`${file}:`),
        );
      }
      // What was before is not needed any more.
      await database.query(`PURGE BINARY LOGS TO '${await newestFile(database)}'`);
      await daemon.kill();
      await daemon.start().streaming();
      assert.equal((await daemon.status(name)).state, 'streaming');
      assert.equal(await daemon.stop(), 0);
    });

    it('a file that was purged before it was read is resync-required', { timeout: 240_000 }, async () => {
      const name = uniqueName('purged');
      await using database = await createMysqlDatabase(server, [TABLE]);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      try {
        await daemon.start().streaming();
        await database.query("INSERT INTO t VALUES (1, 'told')");
        await awaitTopicEnds(new Map([[`${name}.${database.name}.t`, 1]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        await database.query("INSERT INTO t VALUES (2, 'lost')");
        await database.query('FLUSH BINARY LOGS');
        await database.query("INSERT INTO t VALUES (3, 'there')");
        await purge(database);
        daemon.start();
        await daemon.until('the source wants a resync', async () => {
          return (await daemon.status(name)).state === 'resync-required';
        });
        const { last_error } = await daemon.status(name);
        assert.equal(last_error?.code, 'MYSQL_BINLOG_PURGED');
        assert.match(last_error?.remedy ?? '', /resync/);
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  });
}
