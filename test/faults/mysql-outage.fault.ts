import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type BinlogNode, BinlogPair } from '../support/binlog-pair.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource } from '../support/mysql-database.ts';
import { verifyMysqlWorkload } from '../support/mysql-oracle.ts';
import { MYSQL_WORKLOAD_SCHEMA, MysqlWorkload } from '../support/mysql-workload.ts';
import { awaitState } from '../support/tailed-database.ts';
import { uniqueName } from '../support/unique-name.ts';

/*
 * A server that goes away and comes back, with a clean shutdown or without one: the daemon goes on by itself, from its
 * checkpoint, and the topics have every change in its order.
 */

const ROUNDS = 3;
const CATCH_UP_MS = 120_000;

for (const server of ['mysql', 'mariadb'] as const satisfies readonly MysqlServer[]) {
  describe(`${server} goes away and comes back`, () => {
    let pair: BinlogPair;
    let node: BinlogNode;
    before(async () => {
      pair = await BinlogPair.start(server);
      [node] = pair.nodes;
      process.env[server === 'mysql' ? 'TEST_MYSQL_URL' : 'TEST_MARIADB_URL'] = node.url;
    });
    after(() => pair[Symbol.asyncDispose]());

    for (const [what, goAway] of [
      ['a shutdown', () => node.service.stop()],
      ['kill -9', () => node.kill()],
    ] as const) {
      it(`after ${what} nothing is lost`, { timeout: 600_000 }, async (t) => {
        const seed = Math.floor(Math.random() * 0x1_0000_0000);
        const name = uniqueName('outage');
        await using database = await createMysqlDatabase(server, MYSQL_WORKLOAD_SCHEMA);
        await using workload = new MysqlWorkload(database, seed, { xa: false, survivesOutages: true });
        await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
        try {
          await daemon.start().streaming(90_000);
          workload.start();
          for (let round = 0; round < ROUNDS; round++) {
            const before = (await daemon.status(name)).changes_total;
            await daemon.until(
              'changes are told',
              async () => {
                workload.throwIfFailed();
                return (await daemon.status(name)).changes_total > before + 100;
              },
              60_000,
            );
            await goAway();
            const { last_error } = await awaitState(daemon, name, 'backing-off');
            assert.match(
              String(last_error?.code),
              /^MYSQL_(UNAVAILABLE|CONNECTION_LOST|STREAM_ENDED|LEASE_LOST|QUERY_INTERRUPTED)$/,
            );
            await node.service.start();
            await daemon.streaming(90_000);
          }
          await workload.stop();
          await workload.touchAll();
          await database.query('CREATE TABLE done (id int PRIMARY KEY)');
          await database.query('INSERT INTO done VALUES (1)');
          await awaitTopicEnds(new Map([[`${name}.${database.name}.done`, 1]]), CATCH_UP_MS);
          const metrics = parseExposition(await (await daemon.get('/metrics')).text());
          assert.ok(metrics.value('tailrace_errors_total', { source: name, class: 'transient' })! >= ROUNDS);
          assert.equal(await daemon.stop(), 0);
          const { problems, records, duplicates } = await verifyMysqlWorkload(database, name);
          t.diagnostic(
            `seed ${seed}: ${workload.transactions} transactions, ${records} records, ${duplicates} repeated`,
          );
          assert.deepEqual(problems, []);
          assert.ok(records > 300, `${records} records`);
        } catch (error) {
          t.diagnostic(`seed ${seed}\n${daemon.output.slice(-4_000)}`);
          throw error;
        } finally {
          await deleteKafkaTopics(name);
        }
      });
    }
  });
}
