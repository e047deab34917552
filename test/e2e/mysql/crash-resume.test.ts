import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { verifyMysqlWorkload } from '../../support/mysql-oracle.ts';
import { MYSQL_WORKLOAD_SCHEMA, MysqlWorkload } from '../../support/mysql-workload.ts';
import { testedServers } from '../../support/server-features.ts';
import { kafkaBrokers } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { SeededRandom } from '../../support/workload-random.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS || 5);
const SEED = Number(process.env.CRASH_SEED || 4711);

const servers = await testedServers();

describe('kill −9 at random moments under load loses nothing', () => {
  for (const { server, label } of servers) {
    it(`${label}, ${ROUNDS} rounds, seed ${SEED}`, { timeout: 120_000 + ROUNDS * 15_000 }, async () => {
      const name = uniqueName('crash');
      const random = new SeededRandom(SEED);
      await using database = await createMysqlDatabase(server, MYSQL_WORKLOAD_SCHEMA);
      await using workload = new MysqlWorkload(database, SEED);
      await using daemon = await Daemon.create({
        sources: [mysqlSource(name, database)],
        config: { kafka: { brokers: kafkaBrokers(), topics: [{ match: '.*', partitions: 3 }] } },
      });
      try {
        await daemon.start().streaming();
        workload.start();
        for (let round = 1; round <= ROUNDS; round += 1) {
          const before = (await daemon.status(name)).changes_total;
          const wanted = before + random.int(1, 120);
          await daemon.until(`the load is being published in round ${round}`, async () => {
            workload.throwIfFailed();
            return (await daemon.status(name)).changes_total >= wanted;
          });
          await daemon.kill();
          await daemon.start().streaming(60_000);
        }
        await workload.stop();
        await database.query('CREATE TABLE done (id int PRIMARY KEY)');
        await database.query('INSERT INTO done VALUES (1)');
        await awaitTopicEnds(new Map([[`${name}.${database.name}.done`, 1]]), 60_000);
        assert.equal(await daemon.stop(), 0, daemon.output.slice(-2000));
        const verdict = await verifyMysqlWorkload(database, name);
        assert.deepEqual(verdict.problems, []);
        assert.ok(workload.transactions > 50 && workload.schemaChanges > 2, `${workload.transactions} transactions`);
        assert.ok(verdict.records > 200, `${verdict.records} records`);
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  }
});
