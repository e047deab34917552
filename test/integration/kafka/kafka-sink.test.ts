import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { zstdDecompressSync } from 'node:zlib';
import kafkajs, { type Admin, type EachBatchPayload, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { ConfigurationError, ResyncRequiredError } from '../../../src/core/errors.ts';
import type { Compression, KafkaSettings } from '../../../src/core/settings.ts';
import { Ticket } from '../../../src/core/ticket.ts';
import { createKafkaSink, type KafkaSink } from '../../../src/kafka/kafka-sink.ts';
import { murmur2 } from '../../../src/kafka/murmur2.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { createKafkaTopics, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { kafkaBrokers } from '../../support/services.ts';
import { uniqueName } from '../../support/unique-name.ts';
import {
  appendRecord,
  kafkaSettings,
  recordingLogger,
  recordingMetrics,
  systemClock,
} from '../../unit/kafka/sink-fixture.ts';

const { compressionsAlgorithms } = await import('@platformatic/kafka');
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => codec((bytes) => zstdDecompressSync(bytes));
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.LZ4] = () =>
  codec((bytes) => Buffer.from(compressionsAlgorithms.lz4.decompressSync(bytes)));
kafkajs.CompressionCodecs[kafkajs.CompressionTypes.Snappy] = () =>
  codec((bytes) => Buffer.from(compressionsAlgorithms.snappy.decompressSync(bytes)));

function codec(decompress: (bytes: Buffer) => Buffer) {
  return {
    compress: async () => assert.fail('kafkajs only reads here'),
    decompress: async (bytes: Buffer) => decompress(bytes),
  };
}

const PREFIX = uniqueName('sink');
const never = new AbortController().signal;
const kafka = new Kafka({ clientId: PREFIX, brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
after(() => deleteKafkaTopics(PREFIX));

let topics = 0;
const newTopic = (): string => `${PREFIX}.t${topics++}`;

async function openSink(settings: Partial<KafkaSettings> = {}, warnings: string[] = []): Promise<KafkaSink> {
  return createKafkaSink(
    {
      settings: kafkaSettings({ brokers: kafkaBrokers(), ...settings }),
      source: 'shop',
      budgetBytes: 8 << 20,
      metrics: recordingMetrics(new Map()),
      logger: recordingLogger(warnings),
      clock: systemClock,
    },
    AbortSignal.timeout(15_000),
  );
}

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

interface ReadRecord {
  readonly partition: number;
  readonly message: KafkaMessage;
}

const CONSUMERS = 3;

/**
 * Reads a topic from its beginning until `count` records came. kafkajs was seen to read nothing of a topic for a minute and a
 * half: another consumer then begins anew.
 */
async function readTopic(topic: string, count: number): Promise<ReadRecord[]> {
  const failures: string[] = [];
  for (let attempt = 0; attempt < CONSUMERS; attempt++) {
    const read = await consume(topic, count);
    if (typeof read !== 'string') return read;
    failures.push(read);
  }
  throw new Error(`${topic}: ${failures.join('; ')}`);
}

/** @returns the records, or what became of the consumer that did not get them. */
async function consume(topic: string, count: number): Promise<ReadRecord[] | string> {
  // What is larger than this comes alone.
  const consumer = kafka.consumer({ groupId: uniqueName('sink'), maxBytesPerPartition: 1 << 20, maxWaitTimeInMs: 100 });
  const records: ReadRecord[] = [];
  const crashes: string[] = [];
  consumer.on(consumer.events.CRASH, ({ payload }) => void crashes.push(String(payload.error)));
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch }: EachBatchPayload) => {
        for (const message of batch.messages) records.push({ partition: batch.partition, message });
      },
    });
    await awaitUntil(`${count} records were read`, () => records.length >= count, { timeoutMs: 40_000 });
    return records;
  } catch (error) {
    return `${error}, and ${records.length} were; it crashed ${crashes.length} times ${crashes.join(', ')}`;
  } finally {
    await consumer.disconnect();
  }
}

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[]) {
  test(`keys, null values, headers and timestamps reach a consumer as they were (${compression})`, async () => {
    await using sink = await openSink({ compression });
    const name = newTopic();
    const topic = await sink.topic(name, never);
    const big = 'payload '.repeat(20_000);
    appendRecord(topic, {
      key: 'a',
      value: 'first',
      headers: { 'h-ü': 'v', empty: '' },
      timestampMs: 1_767_000_000_123,
    });
    appendRecord(topic, { key: 'a', value: null, timestampMs: 1_500_000_000_000 });
    appendRecord(topic, { key: null, value: '' });
    appendRecord(topic, { key: 'b', value: big });
    await sink.flush(AbortSignal.timeout(60_000));
    const records = (await readTopic(name, 4)).map(({ message }) => message);
    assert.deepEqual(
      records.map(({ key }) => key?.toString() ?? null),
      ['a', 'a', null, 'b'],
    );
    assert.deepEqual(
      records.map(({ value }) => value?.toString() ?? null),
      ['first', null, '', big],
    );
    assert.deepEqual(records[0]!.headers, { 'h-ü': Buffer.from('v'), empty: Buffer.from('') });
    assert.deepEqual(
      records.slice(0, 2).map(({ timestamp }) => timestamp),
      ['1767000000123', '1500000000000'],
    );
  });
}

test('100,000 records over six partitions: none lost, none twice, every key in order on Java’s partition', async () => {
  await using sink = await openSink({
    compression: 'zstd',
    topics: [{ match: /^.*$/, partitions: 6, replicationFactor: -1, config: {} }],
  });
  const name = newTopic();
  const topic = await sink.topic(name, never);
  let settled = 0;
  for (let i = 0; i < 100_000; ) {
    const ticket = new Ticket(() => settled++);
    for (let end = i + 500; i < end; i++) appendRecord(topic, { key: `key-${i % 97}`, value: `${i}` }, ticket);
    ticket.seal();
    await sink.ready(never);
  }
  await sink.flush(AbortSignal.timeout(60_000));
  assert.equal(settled, 200);
  const [progress] = sink.takeProgress();
  assert.equal(
    progress!.endOffsets.reduce((sum: number, end) => sum + (end ?? 0), 0),
    100_000,
  );
  const last = new Map<string, number>();
  for (const { partition, message } of await readTopic(name, 100_000)) {
    const key = message.key!;
    const number = Number(message.value);
    assert.equal(partition, (murmur2(key, 0, key.length) & 0x7fffffff) % 6);
    const before = last.get(key.toString());
    assert.equal(number, before === undefined ? Number(key.toString().slice(4)) : before + 97);
    last.set(key.toString(), number);
  }
  for (const [key, number] of last) assert.ok(number >= 100_000 - 97, `${key} ends with ${number}`);
});

test('topics are created by the first rule that matches, others are left as they are', async () => {
  await using sink = await openSink({
    topics: [
      {
        match: new RegExp(`^${PREFIX}\\.special$`),
        partitions: 3,
        replicationFactor: 1,
        config: { 'cleanup.policy': 'compact' },
      },
      {
        match: new RegExp(`^${PREFIX}\\..*$`),
        partitions: 2,
        replicationFactor: -1,
        config: { 'retention.ms': '3600000' },
      },
    ],
  });
  const plain = newTopic();
  const existing = newTopic();
  await createKafkaTopics([{ topic: existing, partitions: 5 }]);
  await Promise.all([`${PREFIX}.special`, plain, existing, plain].map((name) => sink.topic(name, never)));
  await withAdmin(async (admin) => {
    const names = [`${PREFIX}.special`, plain, existing];
    const { topics: found } = await admin.fetchTopicMetadata({ topics: names });
    const partitions = new Map(found.map((topic) => [topic.name, topic.partitions.length]));
    assert.deepEqual(
      names.map((name) => partitions.get(name)),
      [3, 2, 5],
    );
    const configs = await admin.describeConfigs({
      includeSynonyms: false,
      resources: names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
    });
    const value = (topic: number, name: string) =>
      configs.resources[topic]!.configEntries.find(({ configName }) => configName === name)?.configValue;
    assert.equal(value(0, 'cleanup.policy'), 'compact');
    assert.equal(value(1, 'retention.ms'), '3600000');
    assert.notEqual(value(2, 'retention.ms'), '3600000');
  });
  await assert.rejects(sink.topic('elsewhere', never), (error) => {
    assert.ok(error instanceof ConfigurationError);
    assert.equal(error.code, 'KAFKA_TOPIC_WITHOUT_RULE');
    return true;
  });
});

test('a topic that the broker refuses to create is the operator’s problem, and the sink lives on', async () => {
  await using sink = await openSink({
    topics: [
      { match: /bad$/, partitions: 1, replicationFactor: -1, config: { 'no.such.config': '1' } },
      { match: /^.*$/, partitions: 1, replicationFactor: -1, config: {} },
    ],
  });
  await assert.rejects(sink.topic(`${PREFIX}.bad`, never), ConfigurationError);
  await assert.rejects(sink.topic(`${PREFIX}.not/allowed`, never), ConfigurationError);
  assert.ok(await sink.topic(newTopic(), never));
});

test('max.message.bytes decides what a record may weigh, to the byte', async () => {
  const small = newTopic();
  const large = newTopic();
  await createKafkaTopics([
    { topic: small, config: { 'max.message.bytes': '5000' } },
    { topic: large, config: { 'max.message.bytes': String(32 << 20) } },
  ]);
  for (const compression of ['none', 'zstd'] as const) {
    await using sink = await openSink({ compression });
    const topic = await sink.topic(small, never);
    assert.equal(topic.maxRecordBytes, 5000 - 61);
    let size = 4_800;
    while (appendRecord(topic, { key: 'k', value: crypto.getRandomValues(new Uint8Array(size)) })) size += 1;
    await sink.flush(AbortSignal.timeout(60_000));
    const huge = await sink.topic(large, never);
    const twentyMegabytes = crypto.getRandomValues(new Uint32Array(16_000));
    const value = Buffer.alloc(20_000_000, Buffer.from(twentyMegabytes.buffer));
    assert.ok(appendRecord(huge, { key: 'k', value }));
    appendRecord(huge, { key: 'k', value: 'after' });
    await sink.flush(AbortSignal.timeout(60_000));
  }
  const sizes = (await readTopic(large, 4)).map(({ message }) => message.value!.length);
  assert.deepEqual(sizes, [20_000_000, 5, 20_000_000, 5]);
});

test('progress is verified: fine where nothing is missing, a resync where records or the topic are gone', async () => {
  const name = newTopic();
  const other = newTopic();
  await createKafkaTopics([{ topic: name, partitions: 2 }, { topic: other }]);
  await using sink = await openSink();
  for (const each of [name, other]) {
    const topic = await sink.topic(each, never);
    for (let i = 0; i < 10; i++) appendRecord(topic, { key: null, value: 'v', partition: 0 });
  }
  await sink.flush(AbortSignal.timeout(60_000));
  const progress = sink.takeProgress();
  assert.deepEqual(
    progress.map(({ endOffsets }) => endOffsets),
    [[10, null], [10]],
  );

  await using next = await openSink();
  await next.verifyProgress([], never);
  await next.verifyProgress(progress, AbortSignal.timeout(60_000));
  const topic = await next.topic(name, never);
  appendRecord(topic, { key: null, value: 'v', partition: 1 });
  await next.flush(AbortSignal.timeout(60_000));
  assert.deepEqual(
    next.takeProgress().map(({ endOffsets }) => endOffsets),
    [[10, 1]],
    'what an earlier run wrote is still known',
  );

  const lost = progress.map((each) => ({
    ...each,
    endOffsets: each.endOffsets.map((end) => (end === null ? end : end + 1)),
  }));
  await assert.rejects(next.verifyProgress(lost, AbortSignal.timeout(60_000)), (error) => {
    assert.ok(error instanceof ResyncRequiredError);
    assert.equal(error.code, 'KAFKA_RECORDS_LOST');
    assert.ok(error.message.includes(name) && error.message.includes('partition 0'), error.message);
    return true;
  });

  await withAdmin(async (admin) => {
    await admin.deleteTopics({ topics: [other] });
  });
  await awaitUntil('the topic is gone', async () => {
    const gone = await next.verifyProgress(progress, AbortSignal.timeout(60_000)).then(
      () => null,
      (error: unknown) => error,
    );
    return gone instanceof ResyncRequiredError && gone.code === 'KAFKA_TOPIC_MISSING' && gone.message.includes(other);
  });
  await awaitUntil('the name is free', async () => {
    await createKafkaTopics([{ topic: other }]);
    return true;
  });
  await using last = await openSink();
  const again = await last.topic(other, never);
  for (let i = 0; i < 20; i++) appendRecord(again, { key: null, value: 'v' });
  await last.flush(AbortSignal.timeout(60_000));
  await assert.rejects(last.verifyProgress(progress, AbortSignal.timeout(60_000)), (error) => {
    assert.ok(error instanceof ResyncRequiredError);
    assert.equal(error.code, 'KAFKA_TOPIC_RECREATED');
    assert.ok(error.message.includes(other), error.message);
    return true;
  });
});

test('two sinks writing the same topic do not disturb each other', async () => {
  const name = newTopic();
  await using one = await openSink();
  await using two = await openSink();
  const [topicOne, topicTwo] = await Promise.all([one.topic(name, never), two.topic(name, never)]);
  for (let i = 0; i < 200; i++) {
    appendRecord(topicOne, { key: '1', value: `${i}` });
    appendRecord(topicTwo, { key: '2', value: `${i}` });
    if (i % 10 === 0) await pause(0);
  }
  await Promise.all([one, two].map((sink) => sink.flush(AbortSignal.timeout(60_000))));
  const records = await readTopic(name, 400);
  for (const key of ['1', '2']) {
    const values = records
      .filter(({ message }) => message.key!.toString() === key)
      .map(({ message }) => Number(message.value));
    assert.deepEqual(
      values,
      Array.from({ length: 200 }, (_, i) => i),
    );
  }
});

test('a broker that is not there is a transient error within the delivery timeout', async () => {
  const started = performance.now();
  await assert.rejects(openSink({ brokers: ['127.0.0.1:1'], deliveryTimeoutMs: 300 }), { code: 'KAFKA_UNREACHABLE' });
  assert.ok(performance.now() - started < 5_000);
});
