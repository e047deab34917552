import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Daemon } from '../support/daemon-process.ts';
import { caughtUp, type DecodedRecord, tailedDatabase } from '../support/tailed-database.ts';
import { listTopics } from '../support/topic-reader.ts';

it('rows of a partitioned table go to the topics of its leaves, or of its root, as the source says', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE sale (id int, region text, total int, twice int GENERATED ALWAYS AS (total * 2) STORED,
      PRIMARY KEY (id, region)) PARTITION BY LIST (region);
    CREATE TABLE sale_eu PARTITION OF sale FOR VALUES IN ('eu');
    CREATE TABLE sale_us PARTITION OF sale FOR VALUES IN ('us') PARTITION BY RANGE (id);
    CREATE TABLE sale_us_low PARTITION OF sale_us FOR VALUES FROM (0) TO (100)`);
  const leaf = `${tailed.prefix}_leaf`;
  const root = `${tailed.prefix}_root`;
  await using daemon = await Daemon.create({
    sources: [tailed.source({}, leaf), tailed.source({ publish_via_partition_root: true }, root)],
  });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO sale (id, region, total) VALUES (1, 'eu', 10), (2, 'us', 20)");
  await tailed.query('UPDATE sale SET total = 11 WHERE id = 1');
  // Between leaves this is a deletion and an insertion.
  await tailed.query("UPDATE sale SET region = 'us' WHERE id = 1");
  await tailed.query('DELETE FROM sale WHERE id = 2');
  for (const source of [leaf, root]) await caughtUp(daemon, tailed, source);

  assert.deepEqual(
    (await listTopics(tailed.prefix)).sort(),
    [`${leaf}.public.sale_eu`, `${leaf}.public.sale_us_low`, `${root}.public.sale`].sort(),
  );
  const read = async (table: string, count: number, source: string) =>
    (await tailed.records(`public.${table}`, count, source)).map(changeOf);
  assert.deepEqual(await read('sale_eu', 4, leaf), ['c 1 eu', 'u 1 eu', 'd 1 eu', 'tombstone 1 eu']);
  assert.deepEqual(await read('sale_us_low', 4, leaf), ['c 2 us', 'c 1 us', 'd 2 us', 'tombstone 2 us']);
  assert.deepEqual(await read('sale', 8, root), [
    'c 1 eu',
    'c 2 us',
    'u 1 eu',
    'd 1 eu',
    'tombstone 1 eu',
    'c 1 us',
    'd 2 us',
    'tombstone 2 us',
  ]);
  const [first] = await tailed.records('public.sale', 8, root);
  assert.equal(first?.decodedValue.source.table, 'sale');
  assert.deepEqual(
    Object.keys(first?.decodedValue.after),
    ['id', 'region', 'total'],
    'generated columns are not logged',
  );

  // A leaf that is attached later is captured from its first row on, by both.
  await tailed.query('CREATE TABLE sale_us_high PARTITION OF sale_us FOR VALUES FROM (100) TO (200)');
  await tailed.query("INSERT INTO sale (id, region, total) VALUES (150, 'us', 1)");
  assert.equal((await read('sale', 9, root)).at(-1), 'c 150 us');
  assert.equal(await daemon.stop(), 0);
});

function changeOf({ decodedKey: { id, region }, decodedValue }: DecodedRecord): string {
  return `${decodedValue?.op ?? 'tombstone'} ${id} ${region}`;
}
