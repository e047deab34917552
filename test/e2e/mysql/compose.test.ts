import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import mysql from 'mysql2/promise';
import { parse } from 'yaml';
import { CHECKOUT } from '../../../deploy/local/checkout.ts';
import { CommandProcess } from '../../support/command-process.ts';
import { Daemon } from '../../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { createMysqlDatabase, uniqueAccount } from '../../support/mysql-database.ts';
import { createPostgresDatabase } from '../../support/postgres-database.ts';
import { testedServers } from '../../support/server-features.ts';
import { mysqlUrl } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';

const read = (name: string) => readFileSync(join(CHECKOUT, 'deploy', 'config', name), 'utf8');
// docker-compose.yml has MySQL 9, with names and GTIDs.
const isThere = (await testedServers()).some(({ server, hasMysql8 }) => server === 'mysql' && hasMysql8);

if (isThere) {
  it('what docker compose starts with is enough: databases, accounts and sources', { timeout: 360_000 }, async () => {
    const prefix = uniqueName('compose');
    const account = uniqueAccount();
    await using shop = await createPostgresDatabase({ sql: read('compose-shop.sql') });
    await using warehouse = await createMysqlDatabase('mysql');
    const url = new URL(mysqlUrl('mysql'));
    const root = await mysql.createConnection({ uri: url.href, database: warehouse.name, multipleStatements: true });
    try {
      const script = read('compose-warehouse.sql');
      await root.query(script.replaceAll('warehouse.', `${warehouse.name}.`).replaceAll(/\btailrace\b(?!')/g, account));
      url.username = account;
      url.password = 'tailrace';
      const [first, second] = parse(read('compose.yaml')).sources;
      await using daemon = await Daemon.create({
        sources: [
          { ...first, name: `${prefix}_shop`, url: shop.url },
          { ...second, name: `${prefix}_warehouse`, url: url.href, tables: { include: [`${warehouse.name}\\..*`] } },
        ],
      });
      await using check = new CommandProcess(['check', '-c', daemon.configPath]);
      assert.equal(await check.ended(), 0, check.stdout);
      await daemon.start().streaming();
      await root.query("INSERT INTO movements (sku, amount) VALUES ('A-1', -1)");
      await shop.query('INSERT INTO orders (customer_id, total) VALUES (1, 9.99)');
      const expected = new Map([
        [`${prefix}_shop.public.customers`, 2],
        [`${prefix}_shop.public.orders`, 1],
        [`${prefix}_warehouse.${warehouse.name}.items`, 2],
        [`${prefix}_warehouse.${warehouse.name}.movements`, 1],
      ]);
      await awaitTopicEnds(expected, 60_000);
      assert.equal(await daemon.stop(), 0);
    } finally {
      await root.query(`DROP USER IF EXISTS ${account}`);
      await root.end();
      await deleteKafkaTopics(prefix);
    }
  });
}
