import { test } from 'node:test';
import { FILTERED_TABLES, verifyFilteredTables, WHERE } from '../../support/filtered-tables.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { uniqueName } from '../../support/unique-name.ts';

for (const { server, label } of await testedServers()) {
  test(`${label}: rows that snapshot.where leaves out need not be in the topic, and those that are must be equal`, {
    timeout: 360_000,
  }, async () => {
    const name = uniqueName('filter');
    await using database = await createMysqlDatabase(server, FILTERED_TABLES);
    try {
      await verifyFilteredTables({
        source: mysqlSource(name, database, { snapshot: { mode: 'initial', where: WHERE } }),
        name,
        schema: database.name,
        query: (sql) => database.query(sql),
      });
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}
