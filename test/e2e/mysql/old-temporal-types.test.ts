import assert from 'node:assert/strict';
import { it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const VALUES = [
  "(1, '2026-11-21 08:09:10', '1999-12-31 23:59:59', '838:59:59')",
  "(2, '1970-01-01 00:00:01', '1000-01-01 00:00:00', '-838:59:59')",
  "(3, '2038-01-19 03:14:07', '9999-12-31 23:59:59', '-00:00:01')",
];

/** Columns made before 5.6.4 have types of their own in the log. MariaDB alone still makes them; MySQL 8 refuses such tables. */
for (const { server, label } of (await testedServers()).filter((features) => features.server === 'mariadb')) {
  it(`${label}: times of columns as servers before 5.6.4 made them are those of new ones`, {
    timeout: 240_000,
  }, async () => {
    const name = uniqueName('oldtime');
    await using database = await createMysqlDatabase(server);
    await using daemon = await Daemon.create({ sources: [mysqlSource(name, database)] });
    const columns = '(id int PRIMARY KEY, ts timestamp NOT NULL, dt datetime, t time)';
    try {
      await database.query("SET SESSION time_zone = '+00:00'");
      await database.query('SET GLOBAL mysql56_temporal_format = OFF');
      try {
        await database.query(`CREATE TABLE old_types ${columns}`);
      } finally {
        await database.query('SET GLOBAL mysql56_temporal_format = ON');
      }
      await database.query(`CREATE TABLE new_types ${columns}`);
      const [shown] = await database.query<Record<string, string>>('SHOW CREATE TABLE old_types');
      assert.match(shown!['Create Table']!, /mariadb-5.3/);
      await daemon.start().streaming();
      for (const table of ['old_types', 'new_types'])
        await database.query(`INSERT INTO ${table} VALUES ${VALUES.join(',')}`);
      const told = async (table: string) => {
        const topic = `${name}.${database.name}.${table}`;
        await awaitTopicEnds(new Map([[topic, VALUES.length]]), 90_000);
        const decoder = new AvroDecoder();
        const values = await Promise.all((await readTopics([topic])).map(({ value }) => decoder.decode(value)));
        return (values as { after: object }[]).map(({ after }) => ({ ...after }));
      };
      const old = (await told('old_types')) as { id: number; ts: string; dt: bigint; t: bigint }[];
      assert.deepEqual(old, await told('new_types'));
      assert.deepEqual(
        old.map(({ ts, dt, t }) => [ts, Number(dt), Number(t)]),
        [
          ['2026-11-21T08:09:10Z', Date.UTC(1999, 11, 31, 23, 59, 59), 3_020_399_000_000],
          ['1970-01-01T00:00:01Z', Date.UTC(1000, 0, 1), -3_020_399_000_000],
          ['2038-01-19T03:14:07Z', Date.UTC(9999, 11, 31, 23, 59, 59), -1_000_000],
        ],
      );
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}
