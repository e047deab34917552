import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { goldenSql } from '../../support/golden-topics.ts';
import { deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { sqlStatements } from '../../support/sql-statements.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { verify } from '../../support/verify-command.ts';

/** Types that not every server has. */
const OPTIONAL = /\bt_(maria|vector)\b/;

for (const { server, label, understandsGoldens } of await testedServers()) {
  it(`rows of every type are equal to what is streamed of them, on ${label}`, { timeout: 360_000 }, async () => {
    await using database = await createMysqlDatabase(server, ["SET SESSION sql_mode = ''"]);
    const name = uniqueName('types');
    const adjusted = { schema_name_adjustment: 'avro', field_name_adjustment: 'avro_unicode' };
    await using daemon = await Daemon.create({ sources: [mysqlSource(name, database, adjusted)] });
    try {
      await daemon.start().streaming();
      for (const statement of sqlStatements(goldenSql('00-schema-and-snapshot-rows', server))) {
        if (/^\s*(use|(create|drop) database)\b/i.test(statement)) continue;
        const run = database.query(statement.replace(/\binv\./g, `${database.name}.`));
        if (!understandsGoldens || OPTIONAL.test(statement)) await Promise.allSettled([run]);
        else await run;
      }
      const { report, stderr } = await verify(daemon.configPath, name);
      assert.ok(report !== null, stderr);
      const unequal = report.tables.filter(({ verdict }) => verdict !== 'equal');
      assert.deepEqual(unequal, []);
      const rows = report.tables.reduce((sum, table) => sum + table.rows, 0);
      const [leastTables, leastRows] = understandsGoldens ? [28, 50] : [24, 35];
      assert.ok(
        report.tables.length >= leastTables && rows > leastRows,
        `${report.tables.length} tables, ${rows} rows`,
      );
    } finally {
      await deleteKafkaTopics(name);
    }
  });
}
