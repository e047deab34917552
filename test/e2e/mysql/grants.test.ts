import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { CommandProcess } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource, uniqueAccount } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { uniqueName } from '../../support/unique-name.ts';

const PASSWORD = 'least-privileged';

interface Finding {
  readonly subject: string;
  readonly check: string;
  readonly severity: string;
  readonly problem: string;
  readonly remedy: string;
}

/** What the readme says to grant, one privilege each: name and object. */
function documentedGrants(server: MysqlServer, database: string): { privilege: string; on: string }[] {
  const readme = readFileSync(new URL('../../../connectors/mysql/README.md', import.meta.url), 'utf8');
  const lines = [...readme.matchAll(/^GRANT (.+) ON (\S+) TO cdc; *(?:-- MariaDB: (.+))?/gm)];
  return lines.flatMap(([, privileges = '', on = '', forMariadb]) =>
    (server === 'mariadb' ? (forMariadb ?? privileges) : privileges)
      .split(', ')
      .map((privilege) => ({ privilege, on: on.replace(/^shop\./, `${database}.`) })),
  );
}

async function check(daemon: Daemon): Promise<{ code: unknown; findings: Finding[] }> {
  await using command = new CommandProcess(['check', '-c', daemon.configPath, '--json']);
  const code = await command.ended();
  return { code, findings: JSON.parse(command.stdout) as Finding[] };
}

for (const { server, label } of await testedServers()) {
  describe(`the account of the readme on ${label}`, () => {
    it('is enough, and check names every privilege that is missing', { timeout: 360_000 }, async () => {
      const name = uniqueName('least');
      const account = uniqueAccount();
      await using database = await createMysqlDatabase(server, ['CREATE TABLE t (id int PRIMARY KEY, v int)']);
      const grants = documentedGrants(server, database.name);
      assert.equal(grants.length, 3);
      await database.query(`CREATE USER '${account}' IDENTIFIED BY '${PASSWORD}'`);
      const url = new URL(database.url);
      url.username = account;
      url.password = PASSWORD;
      try {
        for (const { privilege, on } of grants) await database.query(`GRANT ${privilege} ON ${on} TO '${account}'`);
        await using daemon = await Daemon.create({ sources: [mysqlSource(name, { ...database, url: url.href })] });
        const { code, findings } = await check(daemon);
        assert.deepEqual(
          findings.filter(({ severity }) => severity === 'error'),
          [],
        );
        assert.equal(code, 0);

        const topic = `${name}.${database.name}.t`;
        await daemon.start().streaming();
        await database.query('INSERT INTO t VALUES (1, 1)');
        await database.query('ALTER TABLE t ADD COLUMN note varchar(20) DEFAULT "n"');
        await database.query("INSERT INTO t VALUES (2, 2, 'two')");
        await awaitTopicEnds(new Map([[topic, 2]]), 90_000);
        assert.equal(await daemon.stop(), 0);
        await database.query("INSERT INTO t VALUES (3, 3, 'three')");
        await daemon.start().streaming();
        await awaitTopicEnds(new Map([[topic, 3]]), 90_000);
        assert.equal(await daemon.stop(), 0);

        for (const { privilege, on } of grants) {
          await database.query(`REVOKE ${privilege} ON ${on} FROM '${account}'`);
          const lacking = await check(daemon);
          assert.equal(lacking.code, 3, privilege);
          const errors = lacking.findings.filter(({ severity }) => severity === 'error');
          assert.deepEqual(
            errors.map((finding) => finding.check),
            ['grants'],
            privilege,
          );
          assert.match(errors[0]!.problem, new RegExp(`lacks ${privilege} ON `));
          assert.match(errors[0]!.remedy, new RegExp(`GRANT ${privilege} ON `));
          await database.query(`GRANT ${privilege} ON ${on} TO '${account}'`);
        }
        assert.equal((await check(daemon)).code, 0, 'all granted again');
      } finally {
        await database.query(`DROP USER '${account}'`);
        await deleteKafkaTopics(name);
      }
    });
  });
}
