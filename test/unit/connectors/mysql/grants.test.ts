import assert from 'node:assert/strict';
import { it } from 'node:test';
import { missingGrants } from '../../../../connectors/mysql/grants.ts';
import type { CapturedTable } from '../../../../connectors/mysql/preflight-facts.ts';

const table = (database: string, name: string): CapturedTable => {
  return { name: `${database}.${name}`, database, table: name, engine: 'InnoDB', hasKey: true };
};
const REPLICATION = 'GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `cdc`@`%`';
const missing = (grants: readonly string[], tables = [table('shop_1', 'orders')]) =>
  missingGrants(grants, 'mysql', tables);

it('what the readme says is enough', () => {
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `shop\\_1`.* TO `cdc`@`%`']), []);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `shop%`.* TO `cdc`@`%`']), []);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT, INSERT ON `shop_1`.`orders` TO `cdc`@`%`']), []);
  assert.deepEqual(missing(['GRANT ALL PRIVILEGES ON *.* TO `cdc`@`%` WITH GRANT OPTION']), []);
  assert.deepEqual(missing([REPLICATION, 'GRANT ALL PRIVILEGES ON `shop_1`.* TO `cdc`@`%`']), []);
  const mariadb = ["GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `cdc`@`%` IDENTIFIED BY PASSWORD '*D8'"];
  assert.deepEqual(missingGrants(mariadb, 'mariadb', [table('a', 'b')]), []);
  assert.deepEqual(missingGrants(mariadb, 'mysql', []), ['REPLICATION CLIENT ON *.*']);
});

it('what is granted on something else is missing', () => {
  const select = ['SELECT ON shop_1.*'];
  assert.deepEqual(missing([REPLICATION]), select);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `shop\\_2`.* TO `cdc`@`%`']), select);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `shop\\_1`.* TO `cdc`@`%`'], [table('shopx1', 't')]), [
    'SELECT ON shopx1.*',
  ]);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `shop_1`.`lines` TO `cdc`@`%`']), select);
  assert.deepEqual(
    missing([REPLICATION, 'GRANT SELECT (`id`, `v`), INSERT ON `shop_1`.`orders` TO `cdc`@`%`']),
    select,
  );
  assert.deepEqual(missing([REPLICATION, 'GRANT EXECUTE ON PROCEDURE `shop_1`.`SELECT` TO `cdc`@`%`']), select);
  // partial_revokes of MySQL
  assert.deepEqual(
    missing([REPLICATION, 'GRANT SELECT ON *.* TO `cdc`@`%`', 'REVOKE SELECT ON `shop_1`.* FROM `cdc`@`%`']),
    select,
  );
  assert.deepEqual(missing(['GRANT USAGE ON *.* TO `cdc`@`%`', 'GRANT `role`@`%` TO `cdc`@`%`'], []), [
    'REPLICATION SLAVE ON *.*',
    'REPLICATION CLIENT ON *.*',
    'SELECT ON the tables',
  ]);
  assert.deepEqual(missing([REPLICATION, 'GRANT SELECT ON `other`.* TO `cdc`@`%`'], []), []);
});
