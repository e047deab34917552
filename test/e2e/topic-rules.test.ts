import assert from 'node:assert/strict';
import { it } from 'node:test';
import kafkajs from 'kafkajs';
import { Daemon } from '../support/daemon-process.ts';
import { createKafkaTopics, describeTopic } from '../support/kafka-topics.ts';
import { kafkaBrokers } from '../support/services.ts';
import { type DecodedRecord, tailedDatabase } from '../support/tailed-database.ts';

const TABLES = `
  CREATE TABLE orders (id int PRIMARY KEY, v int NOT NULL);
  CREATE TABLE notes (id int PRIMARY KEY, v text);
  CREATE TABLE clicks (at int, page text)`;

it('creates topics by the first rule that matches, and keeps each key in the partition that Java would choose', async () => {
  await using tailed = await tailedDatabase(TABLES);
  await createKafkaTopics([
    { topic: tailed.topic('public.notes'), partitions: 2, config: { 'retention.ms': '77777' } },
  ]);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        topics: [
          {
            match: '.*\\.public\\.orders',
            partitions: 5,
            config: { 'cleanup.policy': 'compact', 'retention.ms': 86400000 },
          },
          { match: '.*\\.public\\..*', partitions: 3 },
        ],
      },
    },
  });
  await daemon.start().streaming();
  await tailed.query('INSERT INTO orders SELECT n, 0 FROM generate_series(1, 200) n');
  for (let v = 1; v <= 5; v += 1) await tailed.query(`UPDATE orders SET v = ${v} WHERE id % 5 = 0`);
  await tailed.query("INSERT INTO clicks SELECT n, 'p' FROM generate_series(1, 50) n");
  await tailed.query("INSERT INTO notes SELECT n, 'x' FROM generate_series(1, 50) n");

  const orders = await tailed.records('public.orders', 400);
  const described = await describeTopic(tailed.topic('public.orders'));
  assert.equal(described.partitions, 5);
  assert.equal(described.config['cleanup.policy'], 'compact');
  assert.equal(described.config['retention.ms'], '86400000');
  assertJavaPartitions(orders, 5);
  assert.equal(new Set(orders.map(({ partition }) => partition)).size, 5, 'all partitions are used');
  const byKey = Map.groupBy(orders, ({ decodedKey }) => decodedKey.id as number);
  assert.equal(byKey.size, 200);
  for (const [id, records] of byKey) {
    const values = records.map(({ decodedValue }) => decodedValue.after.v);
    assert.deepEqual(values, id % 5 === 0 ? [0, 1, 2, 3, 4, 5] : [0], `order of key ${id}`);
  }

  const notes = await tailed.records('public.notes', 50);
  const existing = await describeTopic(tailed.topic('public.notes'));
  assert.deepEqual([existing.partitions, existing.config['retention.ms']], [2, '77777'], 'used as it was found');
  assertJavaPartitions(notes, 2);

  const clicks = await tailed.records('public.clicks', 50);
  assert.equal((await describeTopic(tailed.topic('public.clicks'))).partitions, 3);
  assert.ok(clicks.every(({ key }) => key === null));
  assert.equal(new Set(clicks.map(({ partition }) => partition)).size, 1, 'rows without key share one partition');
  assert.deepEqual(
    clicks.map(({ decodedValue }) => decodedValue.after.at),
    Array.from({ length: 50 }, (_, i) => i + 1),
  );
  assert.equal(await daemon.stop(), 0);
});

it('a topic that no rule matches gets one partition', async () => {
  await using tailed = await tailedDatabase(TABLES);
  await using daemon = await Daemon.create({
    sources: [tailed.source()],
    config: { kafka: { brokers: kafkaBrokers(), topics: [{ match: '.*\\.orders', partitions: 4 }] } },
  });
  await daemon.start().streaming();
  await tailed.query("INSERT INTO notes VALUES (1, 'x')");
  assert.equal((await tailed.records('public.notes', 1)).length, 1);
  assert.equal((await describeTopic(tailed.topic('public.notes'))).partitions, 1);
});

/** kafkajs' partitioner is a port of Java's that is not ours. */
function assertJavaPartitions(records: readonly DecodedRecord[], partitions: number): void {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  for (const { topic, key, partition } of records) {
    assert.equal(
      partition,
      partitioner({ topic, partitionMetadata, message: { key, value: null } }),
      String(key?.toString('hex')),
    );
  }
}
