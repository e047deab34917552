import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { ConfigurationError } from '../../../src/core/errors.ts';
import type { LogRecord } from '../../../src/kafka/log-batches.ts';
import { TopicTail } from '../../../src/kafka/topic-tail.ts';
import { SystemClock } from '../../../src/observability/system-clock.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { kafkaSettings } from '../../support/kafka-settings.ts';
import { createKafkaTopics } from '../../support/kafka-topics.ts';
import { kafkaBrokers } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';

const DEADLINE_MS = 90_000;
const kafka = new Kafka({ clientId: 'tailrace-tests', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
const clock = new SystemClock();
const made: string[] = [];
let producer: Producer;

before(async () => {
  producer = kafka.producer();
  await producer.connect();
});

after(async () => {
  await producer.disconnect();
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: made });
  await admin.disconnect();
});

async function newTopic(partitions: number, config: Readonly<Record<string, string>> = {}): Promise<string> {
  const topic = uniqueName('topic_tail');
  await createKafkaTopics([{ topic, partitions, config }]);
  made.push(topic);
  return topic;
}

async function take(tail: TopicTail, count: number): Promise<LogRecord[]> {
  const taken: LogRecord[] = [];
  for await (const records of tail.records(AbortSignal.timeout(DEADLINE_MS))) {
    taken.push(...records);
    if (taken.length >= count) break;
  }
  return taken;
}

function open(topic: string): Promise<TopicTail> {
  return TopicTail.open(kafkaSettings(), topic, clock, AbortSignal.timeout(DEADLINE_MS));
}

// The broker packs what it is given as the topic says.
for (const compression of ['uncompressed', 'gzip', 'snappy', 'lz4', 'zstd']) {
  test(`only what comes after the start, ${compression}`, async () => {
    const topic = await newTopic(1, { 'compression.type': compression });
    await producer.send({ topic, messages: [{ key: 'old', value: 'old' }] });
    await using tail = await open(topic);
    const value = 'the same words again and again '.repeat(100);
    const timestamp = String(Date.now() - 86_400_000_000);
    const messages = [
      { key: 'a', value, timestamp },
      { key: null, value: 'b' },
      { key: 'gone', value: null },
    ];
    await producer.send({ topic, messages });
    const records = await take(tail, 3);
    assert.deepEqual(
      records.map(({ offset, key, value: bytes }) => [offset, key?.toString() ?? null, bytes?.toString() ?? null]),
      [
        [1, 'a', value],
        [2, null, 'b'],
        [3, 'gone', null],
      ],
    );
    assert.equal(records[0]!.timestampMs, Number(timestamp));
    assert.ok(records[1]!.timestampMs > Number(timestamp));
  });
}

test('every partition is read, each in its order, also one that is added later', async () => {
  const topic = await newTopic(3);
  await using tail = await open(topic);
  const sent = [0, 1, 2].flatMap((partition) => [1, 2].map((n) => ({ partition, value: `${partition}/${n}` })));
  await producer.send({ topic, messages: sent });
  const values = (await take(tail, sent.length)).map(({ value }) => String(value));
  for (const partition of [0, 1, 2]) {
    const own = values.filter((value) => value.startsWith(`${partition}/`));
    assert.deepEqual(own, [`${partition}/1`, `${partition}/2`]);
  }
  const admin = kafka.admin();
  await admin.connect();
  await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
  await awaitUntil('the broker knows its fourth partition', async () => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]!.partitions.length === 4;
  });
  await admin.disconnect();
  const fresh = kafka.producer();
  await fresh.connect();
  await fresh.send({ topic, messages: [{ partition: 3, value: '3/1' }] });
  await fresh.disconnect();
  assert.equal(String((await take(tail, 1))[0]!.value), '3/1');
});

test('a topic that does not exist is not made', async () => {
  const topic = uniqueName('topic_tail');
  await assert.rejects(open(topic), (error) => error instanceof ConfigurationError && error.message.includes(topic));
  await assert.rejects(open(topic), ConfigurationError);
});

test('an abort ends the waiting', async () => {
  await using tail = await open(await newTopic(1));
  const stop = new AbortController();
  const records = tail.records(stop.signal);
  const next = records.next();
  stop.abort();
  assert.deepEqual(await next, { done: true, value: undefined });
});

test('from offsets that were kept, and a partition beyond them from its beginning', async () => {
  const topic = await newTopic(2);
  const messages = ['a', 'b', 'c'].map((value) => ({ value, partition: 0 }));
  await producer.send({ topic, messages: [...messages, { value: 'd', partition: 1 }] });
  const signal = AbortSignal.timeout(DEADLINE_MS);
  await using tail = await TopicTail.open(kafkaSettings(), topic, clock, signal, [2]);
  assert.deepEqual(tail.offsets, [2, 0]);
  assert.deepEqual((await take(tail, 2)).map(({ value }) => value?.toString()).sort(), ['c', 'd']);
  assert.deepEqual(tail.offsets, [3, 1]);
  await using whole = await TopicTail.open(kafkaSettings(), topic, clock, signal, []);
  assert.equal((await take(whole, 4)).length, 4);
});
