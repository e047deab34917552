import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { TableReport } from '../../src/verify/report.ts';
import { Daemon } from '../support/daemon-process.ts';
import { caughtUp, tailedDatabase } from '../support/tailed-database.ts';
import { appendRecords, rewriteTopic } from '../support/topic-damage.ts';
import type { ReadRecord } from '../support/topic-reader.ts';
import { tableOf, verify } from '../support/verify-command.ts';

const NO_FINDINGS = { missing: 0, extra: 0, different: 0 };

/** The records whose key is `id`, as this test's tables have it: one int column in the wire format. */
function idOf({ key }: ReadRecord): number {
  const zigzag = key![5]! < 0x80 ? key![5]! : (key![5]! & 0x7f) | (key![6]! << 7);
  return zigzag >> 1;
}

it('tables are equal to what the stream published of them, and damage is named by its keys', async () => {
  await using tailed = await tailedDatabase(`
    CREATE TABLE items (id int PRIMARY KEY, name text, price numeric(10,2) DEFAULT 1, at timestamptz, tags text[], doc jsonb);
    CREATE TABLE pairs (a int, b text, note text, PRIMARY KEY (b, a));
    CREATE TABLE bare (k text, n int);
    ALTER TABLE bare REPLICA IDENTITY FULL;
    CREATE TABLE nothing (id int PRIMARY KEY)`);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: {
      kafka: {
        brokers: (process.env.TEST_KAFKA_BROKERS ?? '').split(','),
        topics: [
          { match: '.*\\.items', partitions: 3, replication_factor: -1 },
          { match: '.*', partitions: 1, replication_factor: -1 },
        ],
      },
    },
  });
  await daemon.start().streaming();
  await tailed.query(`INSERT INTO items SELECT i, 'item ' || i, i * 1.5, now() + i * interval '1 s', ARRAY['a', NULL, 'ü' || i],
    jsonb_build_object('i', i) FROM generate_series(1, 300) AS i`);
  await tailed.query('UPDATE items SET name = NULL, price = NULL WHERE id % 10 = 0');
  await tailed.query('DELETE FROM items WHERE id % 7 = 0');
  await tailed.query('UPDATE items SET id = id + 1000 WHERE id BETWEEN 20 AND 25');
  await tailed.query("INSERT INTO pairs SELECT i, 'b' || i % 5, 'n' || i FROM generate_series(1, 50) AS i");
  await tailed.query(
    "INSERT INTO bare SELECT 'same', i % 3 FROM generate_series(1, 30) AS i; DELETE FROM bare WHERE ctid = '(0,1)'",
  );
  await tailed.query("UPDATE bare SET k = 'other' WHERE n = 0");
  await caughtUp(daemon, tailed, tailed.prefix);
  const [counted] = await tailed.query<{ n: string }>('SELECT count(*) AS n FROM items');

  const equal = await verify(daemon.configPath, tailed.prefix);
  assert.deepEqual([equal.code, equal.stderr], [0, '']);
  assert.equal(equal.report?.source, tailed.prefix);
  assert.equal(equal.report?.equal, true);
  assert.deepEqual(equal.report?.tables.map(({ table, rows, verdict }) => [table, rows, verdict]).sort(), [
    ['public.bare', 29, 'equal'],
    ['public.items', Number(counted?.n), 'equal'],
    ['public.nothing', 0, 'equal'],
    ['public.pairs', 50, 'equal'],
  ]);
  for (const table of equal.report?.tables ?? []) assert.deepEqual(table.counts, NO_FINDINGS);
  assert.equal(tableOf(equal, 'public.items').topic, tailed.topic('public.items'));

  assert.equal(await daemon.stop(), 0);
  const lastByKey = new Map<number, ReadRecord>();
  await rewriteTopic(tailed.topic('public.items'), (records) => {
    for (const record of records) lastByKey.set(idOf(record), record);
    return records
      .filter((record) => lastByKey.get(5) !== record)
      .map((record) =>
        lastByKey.get(8) === record ? { ...record, value: withChangedByte(record.value!, 'item 8') } : record,
      );
  });
  const row1 = lastByKey.get(1)!;
  const key = Buffer.from(row1.key!);
  // Key 6 is deleted in the topic only; the deleted key 7 comes back.
  key[5] = 6 << 1;
  await appendRecords(tailed.topic('public.items'), [{ partition: lastByKey.get(6)!.partition, key, value: null }]);
  const key7 = Buffer.from(row1.key!);
  key7[5] = 7 << 1;
  await appendRecords(tailed.topic('public.items'), [
    { partition: lastByKey.get(7)!.partition, key: key7, value: row1.value },
  ]);
  const damaged = await verify(daemon.configPath, tailed.prefix, '--table', 'items');
  assert.equal(damaged.code, 3, damaged.stderr);
  const items = tableOf(damaged, 'public.items');
  assert.equal(damaged.report?.equal, false);
  assert.equal(items.verdict, 'different');
  assert.deepEqual(byId(items.missing), [5, 6]);
  assert.deepEqual(byId(items.extra), [7]);
  assert.deepEqual(byId(items.different), [8]);
  assert.deepEqual(items.counts, { missing: 2, extra: 1, different: 1 });
  assert.equal(damaged.report?.tables.length, 1);
});

function byId(keys: TableReport['missing']): number[] {
  return keys.map(({ id }) => id as number).sort((a, b) => a - b);
}

/** The last letter of a text is another one. */
function withChangedByte(value: Buffer, text: string): Buffer {
  const changed = Buffer.from(value);
  const at = changed.indexOf(text);
  assert.ok(at > 0, `the value does not hold ${text}`);
  changed[at + text.length - 1] = 'X'.charCodeAt(0);
  return changed;
}
