import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { kafkaBrokers } from '../support/services.ts';
import { tailedDatabase } from '../support/tailed-database.ts';

it('BEGIN and END enclose each transaction, and their counts are those of the records', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE a (id int PRIMARY KEY, v text);
    CREATE TABLE b (id int PRIMARY KEY, v text);
    CREATE TABLE quiet (id int PRIMARY KEY)`);
  await using daemon = await Daemon.create({
    sources: [
      tailed.source({ transaction_metadata: true, skipped_operations: ['t'], tables: { exclude: ['public.quiet'] } }),
    ],
  });
  await daemon.start().streaming();
  await tailed.query("BEGIN; INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b VALUES (1, 'z'); COMMIT");
  await tailed.query('BEGIN; INSERT INTO a VALUES (3); SAVEPOINT s; INSERT INTO a VALUES (4); ROLLBACK TO s; COMMIT');
  await tailed.query('BEGIN; INSERT INTO a VALUES (5); ROLLBACK');
  await tailed.query('INSERT INTO quiet VALUES (1)');
  // A key change is two events, and a truncate is skipped.
  await tailed.query('BEGIN; UPDATE a SET id = 30 WHERE id = 3; DELETE FROM b WHERE id = 1; TRUNCATE quiet; COMMIT');

  const markers = (await tailed.records('transaction', 6)).map(({ decodedKey, decodedValue }) => {
    assert.equal(decodedKey.id, decodedValue.id);
    return decodedValue;
  });
  const summary = markers.map(({ status, event_count, data_collections }) => [
    status,
    event_count,
    data_collections?.map((each: Record<string, unknown>) => [each.data_collection, each.event_count]).sort(),
  ]);
  assert.deepEqual(summary, [
    ['BEGIN', null, undefined],
    [
      'END',
      3n,
      [
        ['public.a', 2n],
        ['public.b', 1n],
      ],
    ],
    ['BEGIN', null, undefined],
    ['END', 1n, [['public.a', 1n]]],
    ['BEGIN', null, undefined],
    [
      'END',
      3n,
      [
        ['public.a', 2n],
        ['public.b', 1n],
      ],
    ],
  ]);
  assert.deepEqual(
    markers.filter(({ status }) => status === 'BEGIN').map(({ id }) => id),
    markers.filter(({ status }) => status === 'END').map(({ id }) => id),
  );

  const rows = [...(await tailed.records('public.a', 6)), ...(await tailed.records('public.b', 3))];
  const byTransaction = Map.groupBy(
    rows.filter(({ decodedValue }) => decodedValue !== null).map(({ decodedValue }) => decodedValue),
    ({ transaction }) => transaction.id,
  );
  for (const end of markers.filter(({ status }) => status === 'END')) {
    const events = byTransaction.get(end.id) ?? [];
    const orders = events.map(({ transaction }) => Number(transaction.total_order)).sort((x, y) => x - y);
    assert.deepEqual(
      orders,
      Array.from({ length: Number(end.event_count) }, (_, i) => i + 1),
      `of ${end.id}`,
    );
    for (const { data_collection, event_count } of end.data_collections) {
      const inTable = events
        .filter(({ source }) => `${source.schema}.${source.table}` === data_collection)
        .map(({ transaction }) => Number(transaction.data_collection_order))
        .sort((x, y) => x - y);
      assert.deepEqual(
        inTable,
        Array.from({ length: Number(event_count) }, (_, i) => i + 1),
        data_collection,
      );
    }
  }
  assert.equal(await daemon.stop(), 0);
});

it('a change that became a dead letter is not counted, so nobody waits for it', async () => {
  await using tailed = await tailedDatabase('CREATE TABLE t (id int PRIMARY KEY, v text)');
  await using daemon = await Daemon.create({
    sources: [tailed.source({ transaction_metadata: true, on_poison: 'dead_letter' })],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        topics: [{ match: '.*\\.public\\.t', config: { 'max.message.bytes': '10000' } }, { match: '.*' }],
      },
    },
  });
  await daemon.start().streaming();
  await tailed.query(
    "INSERT INTO t SELECT n, repeat('x', CASE n WHEN 2 THEN 20000 ELSE 5 END) FROM generate_series(1, 3) n",
  );
  const [, end] = await tailed.records('transaction', 2);
  assert.equal(end?.decodedValue.event_count, 2n);
  const rows = await tailed.records('public.t', 2);
  assert.deepEqual(
    rows.map(({ decodedValue }) => [decodedValue.after.id, decodedValue.transaction.total_order]),
    [
      [1, 1n],
      [3, 2n],
    ],
  );
});
