import { test } from 'node:test';
import { FILTERED_TABLES, verifyFilteredTables, WHERE } from '../support/filtered-tables.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

test('rows that snapshot.where leaves out need not be in the topic, and those that are must be equal', {
  timeout: 360_000,
}, async () => {
  await using tailed = await tailedDatabase(
    [...FILTERED_TABLES, 'ALTER TABLE visits REPLICA IDENTITY FULL'].join(';\n'),
  );
  await verifyFilteredTables({
    source: tailed.source({ snapshot: { mode: 'initial', where: WHERE } }),
    name: tailed.prefix,
    schema: 'public',
    query: (sql) => tailed.query(sql),
  });
});
