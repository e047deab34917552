import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Daemon } from '../../support/daemon-process.ts';
import { parseExposition } from '../../support/exposition.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, mysqlSource, uniqueAccount } from '../../support/mysql-database.ts';
import { readIds } from '../../support/read-rows.ts';
import { testedServers } from '../../support/server-features.ts';
import { awaitState } from '../../support/tailed-database.ts';
import { uniqueName } from '../../support/unique-name.ts';

const TABLE = 'CREATE TABLE t (id int PRIMARY KEY)';

for (const { server, label, takesPlainPasswords } of await testedServers()) {
  describe(label, () => {
    it('a password that was changed fails the source with the remedy; with the new one it goes on', {
      timeout: 300_000,
    }, async () => {
      const [name, account] = [uniqueName('rotated'), uniqueAccount()];
      await using database = await createMysqlDatabase(server, [TABLE]);
      await database.query(`CREATE USER '${account}'@'%' IDENTIFIED BY 'the-old-one'`);
      await database.query(`GRANT ALL ON *.* TO '${account}'@'%'`);
      const url = new URL(database.url);
      url.username = account;
      url.password = 'PASSWORD';
      const source = mysqlSource(name, database, { url: url.href.replace('PASSWORD', `\${CDC_PASSWORD}`) });
      const environment: Record<string, string> = { CDC_PASSWORD: 'the-old-one' };
      await using daemon = await Daemon.create({ sources: [source], environment });
      try {
        await daemon.start().streaming();
        await database.query('INSERT INTO t VALUES (1)');
        await awaitTopicEnds(new Map([[`${name}.${database.name}.t`, 1]]), 90_000);
        await database.query(
          `SET PASSWORD FOR '${account}'@'%' = ${takesPlainPasswords ? "'the-new-one'" : "PASSWORD('the-new-one')"}`,
        );
        await database.query('INSERT INTO t VALUES (2)');
        // What is connected stays so; the next connection is refused.
        await awaitTopicEnds(new Map([[`${name}.${database.name}.t`, 2]]), 90_000);
        const threads = await database.query<{ Id: number; User: string }>('SHOW PROCESSLIST');
        for (const { Id } of threads.filter(({ User }) => User === account)) {
          // One that ended meanwhile is fine.
          await database.query(`KILL ${Id}`).catch((error: { errno?: number }) => assert.equal(error.errno, 1094));
        }
        const { last_error } = await awaitState(daemon, name, 'failed');
        assert.equal(last_error?.code, 'MYSQL_AUTHENTICATION');
        assert.match(last_error.remedy, /password/);
        const metrics = parseExposition(await (await daemon.get('/metrics')).text());
        assert.equal(metrics.value('tailrace_source_state', { source: name, state: 'failed' }), 1);
        assert.ok(!daemon.output.includes('the-old-one'));
        await database.query('INSERT INTO t VALUES (3)');
        assert.equal(await daemon.stop(), 0);
        environment.CDC_PASSWORD = 'the-new-one';
        await daemon.start().streaming();
        await awaitTopicEnds(new Map([[`${name}.${database.name}.t`, 3]]), 90_000);
        assert.deepEqual([...new Set(await readIds(`${name}.${database.name}.t`))], [1, 2, 3]);
        assert.equal(await daemon.stop(), 0);
      } finally {
        await deleteKafkaTopics(name);
        await database.query(`DROP USER '${account}'@'%'`);
      }
    });
  });
}
