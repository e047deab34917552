import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChaosOptions } from '../../chaos/kill-rounds.ts';
import { runMysqlChaos } from '../../chaos/mysql-chaos.ts';
import type { MysqlServer } from '../../support/mysql-database.ts';
import { testedServers } from '../../support/server-features.ts';

/*
 * The promises of `docs/guarantees.md` about a crash, on MySQL and MariaDB. `npm run test:chaos -- mysql` and
 * `npm run test:chaos -- mariadb` are the same for as long as one likes.
 */

const ROUNDS = 5;
const OPTIONS: Readonly<Record<MysqlServer, Pick<ChaosOptions, 'checkpoint' | 'transactionMetadata'>>> = {
  mysql: { checkpoint: 'kafka', transactionMetadata: true },
  mariadb: { checkpoint: 'file', transactionMetadata: false },
};

for (const { server, label } of await testedServers()) {
  const options = OPTIONS[server];
  test(`kill -9 under load, ${label}, checkpoints in ${options.checkpoint}`, { timeout: 600_000 }, async (context) => {
    const seed = Math.floor(Math.random() * 0x1_0000_0000);
    const lines: string[] = [];
    try {
      const result = await runMysqlChaos(server, {
        ...options,
        seed,
        rounds: ROUNDS,
        progress: (line) => lines.push(line),
      });
      assert.deepEqual(result.problems, []);
      assert.equal(result.exitCode, 0);
      // A run in which nothing happened would prove nothing.
      assert.ok(result.transactions > 50 && result.schemaChanges > 2, `${result.transactions} transactions`);
      assert.ok(result.records > 200, `${result.records} records`);
      const { transactions, records, duplicates, schemaChanges } = result;
      context.diagnostic(
        `seed ${seed}: ${transactions} transactions, ${schemaChanges} schema changes, ${records} records, ${duplicates} repeated`,
      );
    } catch (error) {
      context.diagnostic(`seed ${seed}\n${lines.join('\n')}`);
      throw error;
    }
  });
}
