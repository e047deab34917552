import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand as tailrace } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics, deleteTopicsNamed } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { testedServers } from '../../support/server-features.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

async function idsIn(topic: string): Promise<number[]> {
  return (await readEnvelopes(topic)).map(({ after }) => Number(after?.id));
}

for (const { server, label } of await testedServers()) {
  test(`the checkpoint of a ${label} source is set back and its changes come again`, {
    timeout: 480_000,
  }, async () => {
    const name = uniqueName('checkpoint');
    const checkpoints = uniqueName('checkpoints');
    await using database = await createMysqlDatabase(server, [TABLE]);
    const topic = `${name}.${database.name}.t`;
    await using daemon = await Daemon.create({
      sources: [mysqlSource(name, database)],
      config: { checkpoint: { store: 'kafka', topic: checkpoints, interval: '200ms' } },
    });
    const checkpoint = (command: string, ...args: string[]) =>
      tailrace(['checkpoint', command, name, ...args, '-c', daemon.configPath]);
    try {
      await daemon.start().streaming();
      await database.query('INSERT INTO t VALUES (1)');
      await awaitTopicEnds(new Map([[topic, 1]]), 90_000);
      const position = await daemon.until('the row is checkpointed', async () => {
        const { changes_total, lag_seconds, position: at } = await daemon.status(name);
        return changes_total > 0 && lag_seconds === 0 ? at : null;
      });
      const running = await checkpoint('export');
      assert.equal(running.code, 1);
      assert.match(running.err, /is running/);
      assert.equal((await daemon.status(name)).state, 'streaming', 'the owner is not disturbed');
      await database.query('INSERT INTO t VALUES (2)');
      await awaitTopicEnds(new Map([[topic, 2]]), 90_000);
      assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
      const set = await checkpoint('set', position);
      assert.equal(set.code, 0, set.err);
      await daemon.start().streaming();
      await awaitTopicEnds(new Map([[topic, 3]]), 90_000);
      const ids = await idsIn(topic);
      assert.deepEqual(ids.slice(-2), [2, 2]);
      assert.equal(await daemon.stop(), 0);
    } finally {
      await deleteKafkaTopics(name);
      await deleteTopicsNamed([checkpoints]);
    }
  });
}
