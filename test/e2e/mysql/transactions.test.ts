import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Connection } from 'mysql2/promise';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { kafkaBrokers } from '../../support/services.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = "CREATE TABLE t (id int PRIMARY KEY, v int, big longblob, note varchar(20) NOT NULL DEFAULT 'n')";

interface Change {
  readonly op: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
}

/** What `t` told, deletes' tombstones left out. */
async function changes(prefix: string, database: MysqlDatabase, count: number): Promise<Change[]> {
  const topic = `${prefix}.${database.name}.t`;
  await awaitTopicEnds(new Map([[topic, count]]), 90_000);
  const decoder = new AvroDecoder();
  const decoded = await Promise.all((await readTopics([topic])).map(({ value }) => decoder.decode(value)));
  return decoded.filter((value) => value !== null) as Change[];
}

/** What is larger than memory should be when it arrives, waits in a file. */
async function incompressible(prefix: string, database: MysqlDatabase, before: number): Promise<void> {
  const values = Array.from({ length: 400 }, (_, index) => `(${index + 100_000}, 0, RANDOM_BYTES(1024))`).join(',');
  await database.query('SET SESSION binlog_transaction_compression = ON');
  await database.query('START TRANSACTION');
  for (let at = 0; at < 20; at++) {
    await database.query(`INSERT INTO t (id, v, big) VALUES ${values.replaceAll(', 0,', ` + ${at * 400}, 0,`)}`);
  }
  await database.query('COMMIT');
  await database.query('SET SESSION binlog_transaction_compression = OFF');
  const told = (await changes(prefix, database, before + 8000)).slice(before);
  const rows = await database.query<{ id: number; big: Buffer }>(
    'SELECT id, big FROM t WHERE id >= 100000 ORDER BY id',
  );
  assert.deepEqual(
    told.map(({ after }) => [after!.id, after!.big]),
    rows.map(({ id, big }) => [id, big]),
  );
}

const ids = (told: readonly Change[]) => told.map(({ op, after, before }) => `${op}${(after ?? before)!.id}`);

for (const { server, label, keepsPreparedXa, compression } of await testedServers()) {
  describe(label, () => {
    it('rows of an XA transaction are told at XA COMMIT, not before, also over a restart', {
      timeout: 300_000,
    }, async () => {
      const name = uniqueName('xa');
      await using database = await createMysqlDatabase(server, [TABLE]);
      const connections: Connection[] = [];
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      try {
        await daemon.start().streaming();
        let two = await database.connect();
        connections.push(two);
        const prepare = async (xid: string, id: number) => {
          await two.query(`XA START '${xid}'`);
          await two.query('INSERT INTO t (id, v) VALUES (?, 1)', [id]);
          await two.query(`XA END '${xid}'`);
          await two.query(`XA PREPARE '${xid}'`);
        };
        await prepare(`${name}-a`, 1);
        if (keepsPreparedXa) {
          // A connection may leave its prepared transaction; another one decides.
          await two.end();
          two = await database.connect();
          connections.push(two);
        }
        await database.query('INSERT INTO t (id, v) VALUES (2, 2)');
        assert.deepEqual(ids(await changes(name, database, 1)), ['c2']);
        await daemon.kill();
        await daemon.start().streaming();
        await two.query(`XA COMMIT '${name}-a'`);
        await database.query('INSERT INTO t (id, v) VALUES (3, 3)');
        const told = ids(await changes(name, database, 3));
        // A restart before the decision may repeat what came since.
        assert.deepEqual([...new Set(told)], ['c2', 'c1', 'c3']);
        await two.query(`XA START '${name}-b'`);
        await two.query('INSERT INTO t (id, v) VALUES (4, 4)');
        await two.query(`XA END '${name}-b'`);
        await two.query(`XA PREPARE '${name}-b'`);
        await two.query(`XA ROLLBACK '${name}-b'`);
        await two.query(`XA START '${name}-c'`);
        await two.query('INSERT INTO t (id, v) VALUES (5, 5)');
        await two.query(`XA END '${name}-c'`);
        await two.query(`XA COMMIT '${name}-c' ONE PHASE`);
        await two.end();
        await database.query('INSERT INTO t (id, v) VALUES (6, 6)');
        const all = ids(await changes(name, database, told.length + 2));
        assert.deepEqual(
          all.slice(-2),
          ['c5', 'c6'],
          'what was rolled back is not told, what was committed at once is',
        );
        assert.equal(await daemon.stop(), 0);
      } finally {
        for (const connection of connections) connection.destroy();
        await deleteKafkaTopics(name);
      }
    });

    it('columns that a MINIMAL image leaves out are unavailable and listed, never null', {
      timeout: 240_000,
    }, async () => {
      const name = uniqueName('minimal');
      await using database = await createMysqlDatabase(server, [TABLE, "INSERT INTO t VALUES (1, 1, x'0102', 'one')"]);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      try {
        await daemon.start().streaming();
        await database.query("SET SESSION binlog_row_image = 'MINIMAL'");
        await database.query('UPDATE t SET v = 2 WHERE id = 1');
        await database.query('UPDATE t SET id = 9 WHERE id = 1');
        await database.query('DELETE FROM t WHERE id = 9');
        const topic = `${name}.${database.name}.t`;
        const told = await changes(name, database, 6);
        assert.deepEqual(ids(told), ['u1', 'd1', 'c9', 'd9']);
        const placeholder = Buffer.from('__debezium_unavailable_value');
        assert.equal(told[0]!.after!.v, 2);
        assert.deepEqual(told[0]!.after!.big, placeholder);
        assert.equal(told[0]!.after!.note, placeholder.toString());
        const [update] = await readTopics([topic]);
        const header = update!.headers.find(([header]) => header === '__tailrace.unavailable_columns');
        assert.deepEqual(JSON.parse(header![1]), ['big', 'note']);
      } finally {
        await deleteKafkaTopics(name);
      }
    });

    it(`${compression === null ? '' : 'compressed '}transactions, and rows of 14 MB, arrive whole`, {
      timeout: 360_000,
    }, async () => {
      const name = uniqueName('zip');
      await using database = await createMysqlDatabase(server, [TABLE]);
      await using daemon = await Daemon.create({
        sources: [mysqlSource(name, database)],
        config: {
          kafka: {
            brokers: kafkaBrokers(),
            topics: [{ match: '.*', partitions: 1, config: { 'max.message.bytes': '31457280' } }],
          },
        },
      });
      try {
        await daemon.start().streaming();
        if (compression !== null) await database.query(`SET ${compression} = ON`);
        try {
          await database.query('INSERT INTO t (id, v) VALUES (1, 1)');
          const many = Array.from({ length: 3000 }, (_, index) => `(${index + 10}, ${index}, repeat(x'ab', 900))`);
          await database.query(`INSERT INTO t (id, v, big) VALUES ${many.join(',')}`);
          await database.query("UPDATE t SET note = 'changed' WHERE id >= 10 AND id < 20");
        } finally {
          if (compression !== null) await database.query(`SET ${compression} = OFF`);
        }
        await database.query("INSERT INTO t (id, v, big) VALUES (5, 5, repeat(x'cd', 14000000))");
        const told = await changes(name, database, 3012);
        assert.equal(told.length, 3012);
        assert.deepEqual(ids(told.slice(0, 2)), ['c1', 'c10']);
        assert.equal((told[1]!.after!.big as Buffer).length, 900);
        assert.equal((told.at(-1)!.after!.big as Buffer).length, 14_000_000);
        if (server === 'mysql' && compression !== null) await incompressible(name, database, told.length);
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
      }
    });

    it('a statement that is logged instead of its rows stops the source and says so', {
      timeout: 240_000,
    }, async () => {
      const name = uniqueName('stmt');
      await using database = await createMysqlDatabase(server, [TABLE]);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      try {
        await daemon.start().streaming();
        const other = await database.connect();
        await other.query("SET SESSION binlog_format = 'STATEMENT'");
        await other.query('INSERT INTO t (id, v) VALUES (1, 1)');
        await other.end();
        await daemon.until('the source has failed', async () => (await daemon.status(name)).state === 'failed');
        const { last_error } = await daemon.status(name);
        assert.equal(last_error?.code, 'MYSQL_STATEMENT_FORMAT');
        assert.match(last_error?.remedy ?? '', /binlog_format = ROW/);
      } finally {
        await deleteKafkaTopics(name);
      }
    });

    it('a table that is swapped in by RENAME, as online schema changes do, goes on under its name', {
      timeout: 240_000,
    }, async () => {
      const name = uniqueName('swap');
      await using database = await createMysqlDatabase(server, [TABLE, 'INSERT INTO t (id, v) VALUES (1, 1)']);
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
      try {
        await daemon.start().streaming();
        await database.query('UPDATE t SET v = 2 WHERE id = 1');
        await database.query('CREATE TABLE _t_new LIKE t');
        await database.query('ALTER TABLE _t_new ADD COLUMN extra int DEFAULT 7');
        await database.query('INSERT INTO _t_new (id, v, big, note) SELECT id, v, big, note FROM t');
        await database.query('RENAME TABLE t TO _t_old, _t_new TO t');
        await database.query('UPDATE t SET v = 3 WHERE id = 1');
        await database.query('DROP TABLE _t_old');
        const told = await changes(name, database, 2);
        assert.deepEqual(
          told.map(({ after }) => [after!.v, after!.extra]),
          [
            [2, undefined],
            [3, 7],
          ],
        );
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  });
}
