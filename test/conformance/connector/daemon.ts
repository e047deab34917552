import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics, deleteTopicsNamed } from '../../support/kafka-topics.ts';
import { readEnvelopes } from '../../support/read-rows.ts';
import { uniqueName } from '../../support/unique-name.ts';
import type { ConformanceDatabase, ConformanceServer } from './conformance-database.ts';

const ROWS = 200;

/** What a connector's promises come to in the daemon. */
export function testDaemon(server: ConformanceServer): void {
  it('a second daemon on the same source waits while the owner lives, and takes over when it dies', {
    timeout: 360_000,
  }, async () => {
    const name = uniqueName('twice');
    const checkpoints = uniqueName('checkpoints');
    await using database = await server.createDatabase();
    await database.run('CREATE TABLE t (id int PRIMARY KEY)');
    const topic = `${name}.${database.qualified('t')}`;
    const insert = (from: number) =>
      database.run(`INSERT INTO t VALUES ${Array.from({ length: ROWS }, (_, i) => `(${from + i})`).join()}`);
    const options = {
      sources: [sourceInYaml(server, database, name)],
      config: { checkpoint: { store: 'kafka', topic: checkpoints, interval: '200ms' } },
    };
    await using owner = await Daemon.create(options);
    await using heir = await Daemon.create(options);
    try {
      await owner.start().streaming();
      heir.start();
      await heir.until('the second daemon says that it waits', () => heir.output.includes('waiting until it stops'));
      await insert(1);
      await awaitTopicEnds(new Map([[topic, ROWS]]), 90_000);
      assert.equal((await heir.status(name)).state, 'starting');
      assert.equal((await heir.get('/readyz')).status, 503);
      assert.equal((await owner.status(name)).state, 'streaming', 'the owner is not disturbed');
      // One transaction is on its way while the owner dies.
      const writing = insert(ROWS + 1);
      await owner.kill();
      await writing;
      await heir.streaming(60_000);
      await insert(2 * ROWS + 1);
      const ids = await heir.until('the last row is published', async () => {
        const rows = await readEnvelopes(topic);
        const all = rows.map(({ after }) => Number(after?.id));
        return all.at(-1) === 3 * ROWS ? all : null;
      });
      assert.equal(await heir.stop(), 0, heir.output.slice(-2_000));
      assert.deepEqual(
        [...new Set(ids)],
        Array.from({ length: 3 * ROWS }, (_, index) => index + 1),
        'nothing is lost, and what is told first is in order',
      );
      assert.ok(ids.length <= 5 * ROWS, `only what was not checkpointed is repeated, there are ${ids.length} records`);
    } finally {
      await deleteKafkaTopics(name);
      await deleteTopicsNamed([checkpoints]);
    }
  });
}

/** A source as an operator writes it. */
function sourceInYaml({ connector: { type } }: ConformanceServer, database: ConformanceDatabase, name: string) {
  const settings = Object.entries(database.settings(name)).map(([key, value]) =>
    key.endsWith('_ms') ? [key.replace(/_ms$/, ''), `${value}ms`] : [key, value],
  );
  const include = [database.qualified('t').replace('.', '\\.')];
  return { name, type, tables: { include }, snapshot: { mode: 'no_data' }, ...Object.fromEntries(settings) };
}
