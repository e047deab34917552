import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SqlConnection } from '../../../connectors/mysql/connection.ts';
import { chunkStatement } from '../../../connectors/mysql/snapshot/chunk-statement.ts';
import { TableDefinitionReader } from '../../../connectors/mysql/snapshot/table-definition.ts';
import type { RowKey } from '../../../src/core/snapshot.ts';
import { chunkOf, drain, SnapshotLab } from '../../support/mysql-snapshot.ts';
import { testedServers } from '../../support/server-features.ts';

/** Rows of a table that is worth dividing. */
const ROWS = 32_768;
/** Doubles the rows from 1 on. */
const DOUBLINGS = Math.log2(ROWS);

async function fill(lab: SnapshotLab, columns: string, key: string, values: string): Promise<void> {
  await lab.database.query('CREATE TABLE numbers (n int AUTO_INCREMENT PRIMARY KEY)');
  await lab.database.query('INSERT INTO numbers VALUES (1)');
  for (let times = 0; times < DOUBLINGS; times++) {
    await lab.database.query(
      'INSERT INTO numbers SELECT n + (SELECT m FROM (SELECT MAX(n) AS m FROM numbers) x) FROM numbers',
    );
  }
  await lab.database.query(`CREATE TABLE t (${columns}, PRIMARY KEY (${key}))`);
  await lab.database.query(`INSERT INTO t SELECT ${values} FROM numbers`);
  await lab.database.query('ANALYZE TABLE t');
}

for (const { server, label } of await testedServers()) {
  describe(`${label}: ranges of a table`, () => {
    for (const [name, columns, key, values] of [
      ['numbers without gaps', 'id int', 'id', 'n'],
      ['numbers with many gaps', 'id bigint', 'id', 'IF(n < 30000, n - 5000000000, n * 100000000)'],
      ['unsigned numbers', 'id bigint unsigned', 'id', '18446744073709551615 - n * 7'],
      ['a number and a text', 'a int, b varchar(20)', 'a, b', "n DIV 4, CONCAT('x', n)"],
    ] as const) {
      it(`of ${name} are about equal, and hold every row once`, { timeout: 240_000 }, async () => {
        await using lab = await SnapshotLab.open(server);
        await fill(lab, columns, key, values);
        const table = await lab.table('t');
        const bounds = await lab.reader.divide(table, 4, lab.signal);
        assert.equal(bounds.length, 3);
        await using view = await lab.view([table], 2);
        const ends: (RowKey | null)[] = [...bounds, null];
        const counts: number[] = [];
        for (const [index, upTo] of ends.entries()) {
          let rows = 0;
          const chunk = chunkOf(table, { after: bounds[index - 1] ?? null, upTo });
          const end = await drain(view.read(chunk, index % 2, lab.signal), (batch) => {
            rows += batch.count;
          });
          if (upTo !== null) assert.deepEqual(end, { last: upTo, isDone: true });
          counts.push(rows);
        }
        assert.equal(
          counts.reduce((sum, rows) => sum + rows),
          ROWS,
        );
        for (const rows of counts) assert.ok(rows > ROWS / 8 && rows < ROWS / 2, `ranges of ${counts} rows`);
      });
    }

    it('are not looked for where it is not worth it', async () => {
      await using lab = await SnapshotLab.open(server);
      await lab.database.query('CREATE TABLE small (id int PRIMARY KEY)');
      await lab.database.query('CREATE TABLE keyless (id int)');
      for (const name of ['small', 'keyless']) {
        assert.deepEqual(await lab.reader.divide(await lab.table(name), 4, lab.signal), []);
      }
    });

    it('are ranges of the index to the server, sorted by it', async () => {
      await using lab = await SnapshotLab.open(server);
      await fill(lab, 'a int, b varchar(20), c int', 'a, b', "n DIV 4, CONCAT('x', n), n");
      const table = await lab.table('t');
      await using sql = new SqlConnection(lab.config.connection);
      const definitions = new TableDefinitionReader(sql, { dialect: server, logsSigns: true }, lab.config.types);
      const read = await definitions.read(table, lab.signal);
      const key = (a: number, b: string): RowKey => [String(a), Buffer.from(b).toString('hex')];
      const chunk = chunkOf(table, {
        after: key(5000, 'x20002'),
        upTo: key(7000, 'x28001'),
        limits: { rows: 100, bytes: Number.POSITIVE_INFINITY, timeMs: Number.POSITIVE_INFINITY },
      });
      const statement = chunkStatement(read, chunk);
      const [plan] = await lab.database.query<Record<string, unknown>>(`EXPLAIN FORMAT=TRADITIONAL ${statement}`);
      assert.equal(plan!.type, 'range', statement);
      assert.equal(plan!.key, 'PRIMARY');
      assert.doesNotMatch(String(plan!.Extra), /filesort|temporary/);
      assert.equal(plan!.key_len, '86');
    });
  });
}
