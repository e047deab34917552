import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { type BinlogNode, BinlogPair } from '../../support/binlog-pair.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import type { MysqlServer } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

type Row = Record<string, unknown>;

/** Writes numbered transactions wherever it is told to, and knows how many changes that makes. */
class Writer {
  readonly database: string;
  readonly #server: MysqlServer;
  /** The number of the next transaction, which is in each of its rows. */
  next = 1;

  constructor(server: MysqlServer, database: string) {
    this.#server = server;
    this.database = database;
  }

  async create(node: BinlogNode): Promise<void> {
    await node.run(
      `CREATE DATABASE ${this.database}`,
      `CREATE TABLE ${this.database}.log (id int PRIMARY KEY, note varchar(20))`,
      `CREATE TABLE ${this.database}.state (id int PRIMARY KEY, version int NOT NULL)`,
    );
  }

  /** Each transaction is a row of `log` and one of five rows of `state`. MariaDB's take turns in two domains, unless told. */
  async write(node: BinlogNode, transactions: number, domain?: number): Promise<void> {
    const { database } = this;
    const last = this.next + transactions - 1;
    for (; this.next <= last; this.next++) {
      const number = this.next;
      const statements = [
        'BEGIN',
        `INSERT INTO ${database}.log (id, note) VALUES (${number}, 'written ${number}')`,
        `REPLACE INTO ${database}.state (id, version) VALUES (${number % 5}, ${number})`,
        'COMMIT',
      ];
      if (this.#server === 'mariadb') statements.unshift(`SET SESSION gtid_domain_id = ${domain ?? number % 2}`);
      await node.run(...statements);
    }
  }
}

/** The ids that `log` told, in order, and what is left when both topics are folded. */
async function told(prefix: string, database: string) {
  const decoder = new AvroDecoder();
  const ids: number[] = [];
  const tables: Record<string, Map<number, Row>> = { log: new Map(), state: new Map() };
  for (const [table, rows] of Object.entries(tables)) {
    for (const { value } of await readTopics([`${prefix}.${database}.${table}`])) {
      const change = (await decoder.decode(value)) as { after: (Row & { id: number }) | null; before: Row } | null;
      if (change === null) continue;
      if (change.after === null) rows.delete(Number(change.before.id));
      else rows.set(change.after.id, { ...change.after });
      if (table === 'log') ids.push(change.after!.id);
    }
  }
  return { ids, tables };
}

async function assertFolded(prefix: string, database: string, node: BinlogNode): Promise<readonly number[]> {
  const { ids, tables } = await told(prefix, database);
  for (const [table, rows] of Object.entries(tables)) {
    const stored = await node.run<Row>(`SELECT * FROM ${database}.${table} ORDER BY id`);
    const folded = [...rows.values()].sort((one, other) => Number(one.id) - Number(other.id));
    // A row that was told before a column was added was told without it.
    const asTold = stored.map((row, index) => {
      const columns = Object.keys(folded[index] ?? row);
      return Object.fromEntries(columns.map((column) => [column, row[column]]));
    });
    assert.deepEqual(folded, asTold, table);
  }
  return ids;
}

function source(server: MysqlServer, name: string, node: BinlogNode, database: string): Record<string, unknown> {
  return {
    name,
    type: server,
    url: node.url,
    tables: { include: [`${database}\\..*`] },
    snapshot: { mode: 'no_data' },
  };
}

/** Gives the source of a stopped daemon another server; its checkpoint stays. */
async function pointAt(daemon: Daemon, from: BinlogNode, to: BinlogNode): Promise<void> {
  const config = await readFile(daemon.configPath, 'utf8');
  assert.ok(config.includes(from.url));
  await writeFile(daemon.configPath, config.replace(from.url, to.url));
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

for (const { server, label, isDefault } of await testedServers()) {
  // The pair is started here, of the default versions: that is what the first row of the matrix is about.
  const skip = isDefault ? false : `${label} is not what the pair is of`;
  describe(`failover of ${server} to a replica by GTID`, { skip }, () => {
    let pair: BinlogPair;
    before(async () => {
      pair = await BinlogPair.start(server);
    });
    after(() => pair[Symbol.asyncDispose]());

    it('loses nothing and repeats nothing, whoever wrote what was not read yet', { timeout: 360_000 }, async () => {
      const [primary, replica] = pair.nodes;
      const name = uniqueName('failover');
      const writer = new Writer(server, uniqueName('db'));
      await pair.follow(replica, primary);
      await writer.create(primary);
      await using daemon = await Daemon.create({ sources: [source(server, name, primary, writer.database)] });
      try {
        await daemon.start().streaming();
        await writer.write(primary, 20);
        await primary.run(`ALTER TABLE ${writer.database}.log ADD COLUMN added int DEFAULT 7`);
        await writer.write(primary, 5);
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 25]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        await writer.write(primary, 10);
        await pair.caughtUp(replica, primary);
        await primary.kill();
        await pair.promote(replica);
        await writer.write(replica, 10);
        await replica.run(`ALTER TABLE ${writer.database}.log ADD COLUMN later int DEFAULT 8`);
        await pointAt(daemon, primary, replica);
        await daemon.start().streaming();
        await writer.write(replica, 10);
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 55]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        // Started again it finds itself on the same server.
        await writer.write(replica, 5);
        await daemon.start().streaming();
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 60]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        assert.deepEqual(await assertFolded(name, writer.database, replica), upTo(60));
      } finally {
        await deleteKafkaTopics(name);
        await primary.service.start();
      }
    });

    it('repeats only the last transactions when the daemon is killed with the primary', {
      timeout: 360_000,
    }, async () => {
      const [replica, primary] = pair.nodes;
      const name = uniqueName('failover');
      const writer = new Writer(server, uniqueName('db'));
      await pair.follow(replica, primary);
      await writer.create(primary);
      await using daemon = await Daemon.create({ sources: [source(server, name, primary, writer.database)] });
      const topic = `${name}.${writer.database}.log`;
      try {
        await daemon.start().streaming();
        await writer.write(primary, 40);
        await awaitTopicEnds(new Map([[topic, 30]]), 90_000);
        await pair.caughtUp(replica, primary);
        await primary.kill();
        await daemon.until('the source waits for its server', async () => {
          return (await daemon.status(name)).state === 'backing-off';
        });
        await daemon.kill();
        await pair.promote(replica);
        await pointAt(daemon, primary, replica);
        await daemon.start().streaming();
        await writer.write(replica, 20);
        await daemon.until('the last transaction is told', async () => {
          return (await told(name, writer.database)).ids.at(-1) === 60;
        });
        const ids = await assertFolded(name, writer.database, replica);
        const steps = ids.filter((id, index) => index > 0 && id !== ids[index - 1]! + 1);
        assert.deepEqual([...new Set(ids)], upTo(60));
        assert.ok(steps.length <= 1, `it steps back once: ${ids}`);
        assert.ok(
          steps.every((id) => id > 1),
          `it goes on at its checkpoint: ${ids}`,
        );
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
        await primary.service.start();
      }
    });

    it('is refused where the replica purged what was not read', { timeout: 360_000 }, async () => {
      const [primary, replica] = pair.nodes;
      const name = uniqueName('purged');
      const writer = new Writer(server, uniqueName('db'));
      await pair.follow(replica, primary);
      await writer.create(primary);
      await using daemon = await Daemon.create({ sources: [source(server, name, primary, writer.database)] });
      try {
        await daemon.start().streaming();
        await writer.write(primary, 5);
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 5]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        // In a domain of MariaDB that the checkpoint does not know of.
        await writer.write(primary, 5, 9);
        await pair.caughtUp(replica, primary);
        await purge(replica);
        await pointAt(daemon, primary, replica);
        await assertRefused(daemon, name, 'MYSQL_BINLOG_PURGED');
        assert.deepEqual((await told(name, writer.database)).ids, upTo(5));
        // The old primary still has it all.
        await pointAt(daemon, replica, primary);
        await daemon.start().streaming();
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 10]]), 90_000);
        assert.deepEqual(await assertFolded(name, writer.database, primary), upTo(10));
      } finally {
        await deleteKafkaTopics(name);
      }
    });

    it('is refused where the replica lacks what was published', { timeout: 360_000 }, async () => {
      const [primary, replica] = pair.nodes;
      const name = uniqueName('lost');
      const writer = new Writer(server, uniqueName('db'));
      await pair.follow(replica, primary);
      await writer.create(primary);
      await using daemon = await Daemon.create({ sources: [source(server, name, primary, writer.database)] });
      try {
        await daemon.start().streaming();
        await writer.write(primary, 5);
        await pair.caughtUp(replica, primary);
        await pair.promote(replica);
        await writer.write(primary, 4);
        await awaitTopicEnds(new Map([[`${name}.${writer.database}.log`, 9]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        await pointAt(daemon, primary, replica);
        await assertRefused(daemon, name, 'MYSQL_GTID_NOT_EXECUTED');
        // Its own history goes past the numbers that were published.
        writer.next = 6;
        await writer.write(replica, 12);
        await assertRefused(daemon, name, 'MYSQL_GTID_NOT_EXECUTED');
        assert.deepEqual((await told(name, writer.database)).ids, upTo(9));
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  });
}

/** MariaDB keeps a file until InnoDB does not need it any more, which takes it a moment. */
async function purge(node: BinlogNode): Promise<void> {
  await awaitUntil('only the newest binlog is left', async () => {
    await node.run('FLUSH BINARY LOGS');
    const logs = await node.run<{ Log_name: string }>('SHOW BINARY LOGS');
    await node.run(`PURGE BINARY LOGS TO '${logs.at(-1)!.Log_name}'`);
    return (await node.run('SHOW BINARY LOGS')).length === 1;
  });
}

/** Starts the daemon: it must say why it does not go on, and what to do. */
async function assertRefused(daemon: Daemon, name: string, code: string): Promise<void> {
  daemon.start();
  const status = await daemon.until('the source does not go on', async () => {
    const now = await daemon.status(name);
    return now.state === 'resync-required' ? now : null;
  });
  assert.equal(status.last_error?.code, code, status.last_error?.message);
  assert.match(status.last_error?.remedy ?? '', /tailrace resync/);
  assert.equal(await daemon.stop(), 0);
}
