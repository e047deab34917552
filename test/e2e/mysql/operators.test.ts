import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AvroDecoder } from '../../support/avro-decoder.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, mysqlSource, uniqueAccount } from '../../support/mysql-database.ts';
import { operatorStatements } from '../../support/mysql-operator-statements.ts';
import { testedServers } from '../../support/server-features.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, v int, note varchar(40) NOT NULL DEFAULT 'n')";

/** Closed at the end, whatever happens. */
async function connection(database: MysqlDatabase) {
  const opened = await database.connect();
  return Object.assign(opened, { [Symbol.asyncDispose]: async () => opened.destroy() });
}

for (const features of await testedServers()) {
  const { server, label } = features;
  describe(`what operators do to ${label}`, () => {
    it('changes nothing and stops nothing where it is not about a captured table', { timeout: 480_000 }, async () => {
      const name = uniqueName('ops');
      await using database = await createMysqlDatabase(server, [TABLE]);
      const tables = { include: [`${database.name}\\.t`] };
      await using daemon = await Daemon.create({ sources: [mysqlSource(name, database, { tables })] });
      try {
        await daemon.start().streaming();
        await using operator = await connection(database);
        await using writer = await connection(database);
        const statements = operatorStatements(features, database.name, uniqueAccount());
        const write = (statement: string) =>
          writer.query('INSERT INTO t (v, note) VALUES (?, ?)', [1, statement.slice(0, 40)]);
        let isLocked = false;
        for (const statement of statements) {
          try {
            await operator.query(statement);
          } catch (error) {
            throw new Error(`the server refuses: ${statement}`, { cause: error });
          }
          isLocked = /^(lock|flush tables t (with|for)|backup stage start)/i.test(statement);
          if (!isLocked) await write(statement);
        }
        const rows = await database.query<{ id: number; note: string }>('SELECT * FROM t ORDER BY id');
        await daemon.until('every row is told', async () => {
          const { state, last_error } = await daemon.status(name);
          assert.equal(state, 'streaming', `${last_error?.message}`);
          return (await daemon.status(name)).changes_total >= rows.length;
        });
        const topic = `${name}.${database.name}.t`;
        await awaitTopicEnds(new Map([[topic, rows.length]]), 90_000);
        const decoder = new AvroDecoder();
        const records = await readTopics([topic]);
        const told = await Promise.all(
          records.map(async ({ value }) => (await decoder.decode(value)) as { after: object }),
        );
        assert.deepEqual(
          told.map(({ after }) => ({ ...after })),
          rows.map((row) => ({ ...row })),
        );
        assert.equal(new Set(records.map(({ value }) => value!.readInt32BE(1))).size, 1, 'one schema');
        const ddl = await Promise.all((await readTopics([name])).map(({ value }) => decoder.decode(value)));
        assert.deepEqual(ddl, [], 'no schema change of a captured table');
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
      }
    });
  });
}
