import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import { ConfigurationError, OwnershipLostError, TransientError } from '../../../src/core/errors.ts';
import type { TopicClaim } from '../../../src/core/fenced-topic.ts';
import { KafkaFencedTopic } from '../../../src/kafka/fenced-topic.ts';
import { awaitEqual } from '../../support/await-equal.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { answerLost, type Fault, FaultyConnections, requestLost } from '../../support/faulty-connections.ts';
import { kafkaSettings } from '../../support/kafka-settings.ts';
import { createKafkaTopics, deleteKafkaTopics } from '../../support/kafka-topics.ts';
import { kafkaBrokers } from '../../support/services.ts';
import { readTopics } from '../../support/topic-reader.ts';
import { uniqueName } from '../../support/unique-name.ts';

describe('fenced topic', { timeout: 360_000 }, () => {
  let name: string;
  let faults: Map<string, Fault[]>;
  const topics: KafkaFencedTopic[] = [];

  beforeEach(() => {
    name = uniqueName('fenced');
    faults = new Map();
  });
  afterEach(async () => {
    await Promise.all(topics.splice(0).map((topic) => topic.close()));
    await deleteKafkaTopics(name);
  });

  const deadline = () => AbortSignal.timeout(60_000);
  const changes = (record: Record<string, string | null>) => new Map(Object.entries(record));

  function open(options: { faulty?: boolean; putTimeoutMs?: number } = {}): KafkaFencedTopic {
    const topic = new KafkaFencedTopic(kafkaSettings(), name, {
      ...(options.putTimeoutMs === undefined ? {} : { putTimeoutMs: options.putTimeoutMs }),
      ...(options.faulty ? { connect: (settings, clientId) => new FaultyConnections(settings, clientId, faults) } : {}),
    });
    topics.push(topic);
    return topic;
  }

  function claim(topic: KafkaFencedTopic, source = 'shop'): Promise<TopicClaim> {
    return topic.claim({ transactionalId: `${name}/${source}`, keyPrefix: `${source}/`, source }, deadline());
  }

  /** The broker marks a transaction as committed a moment after it has answered. */
  async function stored(): Promise<Record<string, string>> {
    return Object.fromEntries(await open().peek('shop/', deadline()));
  }

  for (const [what, fault] of [
    ['request', requestLost],
    ['answer', answerLost],
  ] as const) {
    for (const api of ['AddPartitionsToTxn', 'Produce', 'EndTxn', 'InitProducerId', 'Fetch', 'ListOffsets']) {
      it(`carries a put through when the ${what} of ${api} is lost`, async () => {
        faults.set(api, [fault, fault]);
        const owner = await claim(open({ faulty: true }));
        await owner.put(changes({ 'shop/a': '1', 'shop/b': '1' }), deadline());
        await owner.put(changes({ 'shop/a': '2', 'shop/b': null }), deadline());
        await awaitEqual(stored, { 'shop/a': '2' });
        const again = await claim(open({ faulty: true }));
        assert.equal(faults.get(api)?.length, 0, 'the faults were met');
        assert.deepEqual(Object.fromEntries(again.records), { 'shop/a': '2' });
      });
    }
  }

  it('writes a batch whose answer was lost once', async () => {
    faults.set('Produce', [answerLost, answerLost]);
    const owner = await claim(open({ faulty: true }));
    await owner.put(changes({ 'shop/a': '1' }), deadline());
    await owner.put(changes({ 'shop/a': '2' }), deadline());
    // An independent consumer counts.
    const messages = await readTopics([name]);
    assert.deepEqual(
      messages.map(({ value }) => value?.toString()),
      ['1', '2'],
    );
  });

  it('ends the open transaction of the owner before, whose commit then fails', async () => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const older = await claim(open({ faulty: true }));
    await older.put(changes({ 'shop/a': 'committed' }), deadline());
    faults.set('EndTxn', [
      async (deliver) => {
        reached.resolve();
        await held.promise;
        return deliver();
      },
    ]);
    const late = older.put(changes({ 'shop/a': 'late', 'shop/b': 'late' }), deadline());
    await reached.promise;
    const newer = await claim(open());
    assert.deepEqual(Object.fromEntries(newer.records), { 'shop/a': 'committed' });
    held.resolve();
    await assert.rejects(late, (error) => {
      assert.ok(error instanceof OwnershipLostError);
      assert.match(error.message, /newer daemon took over source shop/);
      return true;
    });
    await newer.put(changes({ 'shop/c': 'newer' }), deadline());
    await awaitEqual(stored, { 'shop/a': 'committed', 'shop/c': 'newer' });
  });

  it('does not wait for, or read, the open transaction of another source', async () => {
    const held = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    faults.set('EndTxn', [
      async (deliver) => {
        reached.resolve();
        await held.promise;
        return deliver();
      },
    ]);
    const other = await claim(open({ faulty: true }), 'other');
    const slow = other.put(changes({ 'other/a': '1' }), deadline());
    await reached.promise;
    const shop = await claim(open());
    await shop.put(changes({ 'shop/a': '1' }), deadline());
    await awaitEqual(stored, { 'shop/a': '1' });
    assert.deepEqual(await open().peek('other/', deadline()), new Map());
    held.resolve();
    await slow;
    await awaitEqual(() => open().peek('other/', deadline()), new Map([['other/a', '1']]));
  });

  it('says that it is transient when time runs out, and refuses to guess afterwards', async () => {
    const owner = await claim(open({ faulty: true, putTimeoutMs: 300 }));
    await owner.put(changes({ 'shop/a': '1' }), deadline());
    faults.set(
      'EndTxn',
      Array.from({ length: 100 }, () => requestLost),
    );
    await assert.rejects(owner.put(changes({ 'shop/a': '2' }), deadline()), TransientError);
    faults.clear();
    await assert.rejects(owner.put(changes({ 'shop/b': '3' }), deadline()), { code: 'CHECKPOINT_TOPIC_TIMEOUT' });
    const again = await claim(open());
    assert.deepEqual(Object.fromEntries(again.records), { 'shop/a': '1' });
  });

  it('creates its topic compacted, with one partition', async () => {
    const topic = open();
    assert.deepEqual(await topic.peek('shop/', deadline()), new Map(), 'no topic yet');
    await (await claim(topic)).put(changes({ 'shop/a': '1' }), deadline());
    await awaitEqual(stored, { 'shop/a': '1' });
    const { partitions, policy } = await describeKafkaTopic(name);
    assert.deepEqual({ partitions, policy }, { partitions: 1, policy: 'compact' });
  });

  for (const [what, spec] of [
    ['is deleted by age', { config: { 'cleanup.policy': 'delete' } }],
    ['is compacted and deleted by age', { config: { 'cleanup.policy': 'compact,delete' } }],
    ['has several partitions', { partitions: 2, config: { 'cleanup.policy': 'compact' } }],
  ] as const) {
    it(`refuses a topic that ${what}`, async () => {
      await createKafkaTopics([{ topic: name, ...spec }]);
      await assert.rejects(claim(open()), (error) => {
        assert.ok(error instanceof ConfigurationError);
        assert.match(error.message, new RegExp(name));
        assert.notEqual(error.remedy, '');
        return true;
      });
    });
  }

  it('reads what the broker compressed', async () => {
    for (const compression of ['gzip', 'snappy', 'lz4', 'zstd']) {
      await createKafkaTopics([
        { topic: `${name}_${compression}`, config: { 'cleanup.policy': 'compact', 'compression.type': compression } },
      ]);
      const topic = new KafkaFencedTopic(kafkaSettings(), `${name}_${compression}`);
      topics.push(topic);
      const value = 'much of the same '.repeat(1000);
      await (await claim(topic)).put(changes({ 'shop/a': value }), deadline());
      await awaitEqual(() => topic.peek('shop/', deadline()), new Map([['shop/a', value]]), compression);
    }
  });

  it('notices that its topic was deleted and made again', async () => {
    const owner = await claim(open());
    await owner.put(changes({ 'shop/a': '1' }), deadline());
    await deleteKafkaTopics(name);
    await awaitUntil('the topic can be made again', async () => {
      await createKafkaTopics([{ topic: name, config: { 'cleanup.policy': 'compact' } }]);
      return true;
    });
    await assert.rejects(owner.put(changes({ 'shop/b': '2' }), deadline()), { code: 'CHECKPOINT_TOPIC_REPLACED' });
    await awaitEqual(stored, {});
  });

  it('says which record the topic is too small for', async () => {
    const owner = await claim(open());
    await assert.rejects(owner.put(changes({ 'shop/a': 'x'.repeat(2_000_000) }), deadline()), ConfigurationError);
  });

  it('gives up at once when it is told to stop', async () => {
    const stop = new AbortController();
    const reason = new Error('asked to stop');
    faults.set('InitProducerId', [
      async () => {
        stop.abort(reason);
        return new Promise(() => {});
      },
    ]);
    const request = { transactionalId: `${name}/shop`, keyPrefix: 'shop/', source: 'shop' };
    await assert.rejects(open({ faulty: true }).claim(request, stop.signal), reason);
  });

  it('says that the brokers cannot be reached', async () => {
    const nobody = new KafkaFencedTopic(kafkaSettings({ brokers: ['127.0.0.1:1'] }), name, { claimTimeoutMs: 200 });
    await assert.rejects(nobody.peek('shop/', deadline()), (error) => {
      assert.ok(error instanceof TransientError);
      assert.match(error.message, /127\.0\.0\.1:1/);
      return true;
    });
  });
});

/** What an independent client says about a topic. */
async function describeKafkaTopic(topic: string): Promise<{ partitions: number; policy: string | undefined }> {
  const admin = new Kafka({ clientId: 'tailrace-tests', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] }],
    });
    return { partitions: topics[0]?.partitions.length ?? 0, policy: resources[0]?.configEntries[0]?.configValue };
  } finally {
    await admin.disconnect();
  }
}
