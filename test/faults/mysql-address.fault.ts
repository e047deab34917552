import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mariadb, mysql } from '../../connectors/mysql/index.ts';
import { Source } from '../conformance/connector/source.ts';
import { type BinlogNode, BinlogPair } from '../support/binlog-pair.ts';
import { Daemon } from '../support/daemon-process.ts';
import { parseExposition } from '../support/exposition.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { readIds } from '../support/read-rows.ts';
import { uniqueName } from '../support/unique-name.ts';

/*
 * The address of a source leads to another server than before, while the daemon runs. It goes on by itself where that server
 * has the same history; one with a history of its own is never taken for it, however alike the two are.
 */

const REFUSALS = /^MYSQL_(GTID_NOT_EXECUTED|GTID_NOT_IN_BINLOG|BINLOG_SHORTER|BINLOG_PURGED)$/;
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

for (const server of ['mysql', 'mariadb'] as const satisfies readonly MysqlServer[]) {
  describe(`the address of a ${server} source moves`, () => {
    let pair: BinlogPair;
    before(async () => {
      pair = await BinlogPair.start(server);
    });
    after(() => pair[Symbol.asyncDispose]());

    /** A table in a database of its own on `node`, and a daemon that reads it through a proxy. */
    async function withDaemon(
      node: BinlogNode,
      work: (parts: { daemon: Daemon; proxy: FaultProxy; name: string; database: string }) => Promise<void>,
    ): Promise<void> {
      const [name, database] = [uniqueName('address'), uniqueName('db')];
      await create(node, database);
      await using proxy = await FaultProxy.inFrontOf(node.url);
      const url = proxy.urlFor(node.url);
      const tables = { include: [`${database}\\..*`] };
      await using daemon = await Daemon.create({
        sources: [{ name, type: server, url, tables, snapshot: { mode: 'no_data' } }],
      });
      try {
        await daemon.start().streaming();
        await work({ daemon, proxy, name, database });
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
      }
    }

    it('a replica that was promoted goes on by itself: nothing is lost', { timeout: 480_000 }, async () => {
      const [primary, replica] = pair.nodes;
      await pair.follow(replica, primary);
      await withDaemon(primary, async ({ daemon, proxy, name, database }) => {
        await insert(primary, database, 1, 20);
        await awaitTopicEnds(new Map([[`${name}.${database}.t`, 20]]), 90_000);
        await pair.caughtUp(replica, primary);
        await primary.kill();
        await daemon.until('the source misses its server', async () => {
          return (await daemon.status(name)).state === 'backing-off';
        });
        await pair.promote(replica);
        await insert(replica, database, 21, 40);
        proxy.moveTo(replica.url);
        await daemon.streaming(90_000);
        await insert(replica, database, 41, 60);
        await daemon.until('the last row is told', async () => (await idsOf(name, database)).at(-1) === 60);
        assert.deepEqual([...new Set(await idsOf(name, database))], upTo(60));
      });
      await primary.service.start();
    });

    it('a server with a history of its own is resync-required, also with the same server id; the right one goes on', {
      timeout: 480_000,
    }, async (t) => {
      const [right, wrong] = pair.nodes;
      for (const node of pair.nodes) await pair.promote(node);
      const ids = await Promise.all(
        pair.nodes.map(async (node) => (await node.run<{ id: number }>('SELECT @@server_id AS id'))[0]!.id),
      );
      await withDaemon(right, async ({ daemon, proxy, name, database }) => {
        await insert(right, database, 1, 5);
        await awaitTopicEnds(new Map([[`${name}.${database}.t`, 5]]), 90_000);
        await create(wrong, database);
        for (const id of server === 'mariadb' ? [ids[1], ids[0]] : [ids[1]]) {
          await wrong.run(`SET GLOBAL server_id = ${id}`);
          // Its numbers go past those that were published.
          await wrong.run(...upTo(200).map((row) => `INSERT INTO ${database}.t (v) VALUES ('of the wrong ${row}')`));
          proxy.moveTo(wrong.url);
          await proxy.become({ kind: 'none' });
          await daemon.until('the stream was cut', async () => (await daemon.status(name)).state !== 'streaming');
          const toldAt = (await daemon.status(name)).last_error?.at;
          await resume(daemon, name);
          const status = await daemon.until('the source does not go on', async () => {
            const now = await daemon.status(name);
            assert.notEqual(now.state, 'streaming');
            return now.state === 'resync-required' && now.last_error?.at !== toldAt ? now : null;
          });
          t.diagnostic(`${status.last_error?.code}: ${status.last_error?.message}`);
          assert.match(String(status.last_error?.code), REFUSALS);
          assert.match(String(status.last_error?.remedy), /tailrace resync/);
          const metrics = parseExposition(await (await daemon.get('/metrics')).text());
          assert.equal(metrics.value('tailrace_source_state', { source: name, state: 'resync-required' }), 1);
        }
        await wrong.run(`SET GLOBAL server_id = ${ids[1]}`);
        await insert(right, database, 6, 10);
        proxy.moveTo(right.url);
        await resume(daemon, name);
        await daemon.streaming();
        await daemon.until('the last row is told', async () => (await idsOf(name, database)).at(-1) === 10);
        assert.deepEqual([...new Set(await idsOf(name, database))], upTo(10));
      });
    });

    it('a log that was reset is resync-required, also once its numbers are past those that were published', {
      timeout: 480_000,
    }, async () => {
      const [node] = pair.nodes;
      await withDaemon(node, async ({ daemon, name, database }) => {
        await node.run('FLUSH BINARY LOGS', 'FLUSH BINARY LOGS');
        await insert(node, database, 1, 5);
        await awaitTopicEnds(new Map([[`${name}.${database}.t`, 5]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        await insert(node, database, 6, 6);
        await node.run(server === 'mysql' ? 'RESET BINARY LOGS AND GTIDS' : 'RESET MASTER');
        await node.run(...upTo(400).map((row) => `INSERT INTO ${database}.t (v) VALUES ('after ${row}')`));
        daemon.start();
        const status = await daemon.until('the source does not go on', async () => {
          const now = await daemon.status(name);
          return now.state === 'resync-required' ? now : null;
        });
        assert.equal(status.last_error?.code, 'MYSQL_BINLOG_SHORTER');
        assert.match(status.last_error.remedy, /tailrace resync/);
        assert.equal((await idsOf(name, database)).length, 5);
      });
    });

    it('an address that moves between two connections of one start is noticed', { timeout: 240_000 }, async () => {
      const [one, other] = pair.nodes;
      const database = uniqueName('db');
      await create(one, database);
      await using proxy = await FaultProxy.inFrontOf(one.url);
      const url = proxy.urlFor(one.url);
      const conformance = {
        name: server,
        connector: server === 'mysql' ? mysql : mariadb,
        createDatabase: () => assert.fail('not needed'),
      };
      const source = new Source(
        conformance as never,
        { url, settings: () => ({ url }), qualified: (table: string) => `${database}.${table}` } as never,
      );
      await using session = await source.open();
      await session.claim(source.signal);
      const from = await session.initialise(source.schemas, source.signal);
      proxy.moveTo(other.url);
      await assert.rejects(session.stream(from, source.schemas, source.signal), {
        errorClass: 'transient',
        code: 'MYSQL_SERVER_MOVED',
      });
    });
  });
}

/** Has the verdict made anew; a source that starts already is refused. */
async function resume(daemon: Daemon, name: string): Promise<void> {
  await fetch(`${await daemon.url()}/api/v1/sources/${name}/resume`, { method: 'POST' });
}

async function create(node: BinlogNode, database: string): Promise<void> {
  await node.run(
    `CREATE DATABASE ${database}`,
    `CREATE TABLE ${database}.t (id int PRIMARY KEY AUTO_INCREMENT, v varchar(40))`,
  );
}

async function insert(node: BinlogNode, database: string, first: number, last: number): Promise<void> {
  const ids = upTo(last).slice(first - 1);
  await node.run(...ids.map((id) => `INSERT INTO ${database}.t VALUES (${id}, 'row ${id}')`));
}

function idsOf(prefix: string, database: string): Promise<number[]> {
  return readIds(`${prefix}.${database}.t`);
}
