import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError, FatalError, ResyncRequiredError, TransientError } from '../../../src/core/errors.ts';
import type { KafkaSettings } from '../../../src/core/settings.ts';
import { Ticket } from '../../../src/core/ticket.ts';
import { createKafkaSink, type KafkaSink, type KafkaSinkOptions } from '../../../src/kafka/kafka-sink.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { appendRecord, kafkaSettings, recordingLogger, recordingMetrics, systemClock } from './sink-fixture.ts';

const TOPIC = 'shop.public.orders';
const never = new AbortController().signal;

interface Stage {
  readonly cluster: ScriptedCluster;
  readonly sink: KafkaSink;
  readonly warnings: string[];
  readonly sums: Map<string, number>;
}

interface StageOptions {
  readonly nodes?: number;
  readonly partitions?: number;
  readonly settings?: Partial<KafkaSettings>;
  readonly sink?: Partial<KafkaSinkOptions>;
}

async function withStage(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
  await using cluster = new ScriptedCluster(TOPIC, options.partitions ?? 1);
  await cluster.start(options.nodes ?? 1);
  const warnings: string[] = [];
  const sums = new Map<string, number>();
  await using sink = await createKafkaSink(
    {
      settings: kafkaSettings({ brokers: [cluster.address(1)], ...options.settings }),
      source: 'shop',
      budgetBytes: 1 << 20,
      metrics: recordingMetrics(sums),
      logger: recordingLogger(warnings),
      clock: systemClock,
      batchBytes: 4200,
      ...options.sink,
    },
    never,
  );
  await play({ cluster, sink, warnings, sums });
}

const RECORD = 'v'.repeat(1000);

/** Four batches of four records each, at once. */
async function sendFourBatches(sink: KafkaSink): Promise<void> {
  const topic = await sink.topic(TOPIC, never);
  for (let i = 0; i < 16; i++) assert.ok(appendRecord(topic, { key: `k${i}`, value: RECORD }));
  await sink.flush(AbortSignal.timeout(30_000));
}

/** Every record once, in the order of appending: the sequence numbers say which is which. */
function assertOnceInOrder(cluster: ScriptedCluster, records: number, partition = 0): void {
  const sequences = cluster
    .log(partition)
    .flatMap(({ baseSequence, count }) => Array.from({ length: count }, (_, i) => baseSequence + i));
  assert.deepEqual(
    sequences,
    Array.from({ length: records }, (_, i) => i),
  );
}

test('without faults several requests are in flight and all records arrive', async () => {
  await withStage({}, async ({ cluster, sink, sums }) => {
    let settled = 0;
    const topic = await sink.topic(TOPIC, never);
    const tickets = Array.from({ length: 4 }, () => new Ticket(() => settled++));
    for (let i = 0; i < 40; i++) appendRecord(topic, { key: 'k', value: RECORD }, tickets[i % 4]!);
    for (const ticket of tickets) ticket.seal();
    assert.equal(settled, 0);
    assert.ok(sink.inFlightBytes > 40_000);
    await sink.flush(AbortSignal.timeout(30_000));
    assert.equal(settled, 4);
    assert.equal(sink.inFlightBytes, 0);
    assertOnceInOrder(cluster, 40);
    assert.ok(cluster.maxInFlight > 1 && cluster.maxInFlight <= 5, `${cluster.maxInFlight}`);
    assert.equal(sums.get('tailrace_published_bytes_total'), 40 * 1001);
    assert.equal(sums.get('tailrace_kafka_request_seconds'), cluster.requests);
    assert.deepEqual(sink.takeProgress(), [{ topic: TOPIC, topicId: '01'.repeat(16), endOffsets: [40] }]);
    assert.deepEqual(sink.takeProgress(), []);
  });
});

for (const appended of [false, true]) {
  const what = appended ? 'although it was written' : 'that was not written';
  test(`a partition missing from the answer is sent again: a batch ${what}`, async () => {
    await withStage({}, async ({ cluster, sink }) => {
      cluster.onBatch = ({ request }) => (request === 1 ? { missing: true, appended } : 'none');
      await sendFourBatches(sink);
      assertOnceInOrder(cluster, 16);
    });
  });

  test(`REQUEST_TIMED_OUT is sent again: a batch ${what}`, async () => {
    await withStage({}, async ({ cluster, sink }) => {
      cluster.onBatch = ({ request }) => (request === 0 ? { code: 7, appended } : 'none');
      await sendFourBatches(sink);
      assertOnceInOrder(cluster, 16);
    });
  });
}

test('a connection that breaks with requests in flight loses and repeats nothing', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onAnswer = (_node, request) => (request === 1 ? 'drop' : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
  });
});

test('an answer that never comes costs the connection, then the batches are sent again', async () => {
  await withStage({ settings: { requestTimeoutMs: 200 } }, async ({ cluster, sink }) => {
    cluster.onAnswer = (_node, request) => (request === 0 ? 'hang' : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
  });
});

test('DUPLICATE_SEQUENCE_NUMBER is a success', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onBatch = ({ request }) => (request === 0 ? { code: 46, appended: true } : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
    assert.equal(cluster.requests, 4, 'nothing was sent twice');
  });
});

test('OUT_OF_ORDER_SEQUENCE_NUMBER behind a failed batch is sent again', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onBatch = ({ request }) => (request === 1 ? { code: 19 } : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
    assert.ok(cluster.requests > 5, 'the batches behind the failed one were refused first');
  });
});

test('a first batch that is refused has nothing behind it that a broker without our history would take', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onBatch = ({ request }) => (request === 0 ? { code: 6 } : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
  });
});

test('OUT_OF_ORDER_SEQUENCE_NUMBER with nothing missing before it ends the sink', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onBatch = ({ request }) => (request === 0 ? { code: 45 } : 'none');
    await assert.rejects(sendFourBatches(sink), (error) => {
      assert.ok(error instanceof TransientError);
      assert.equal(error.code, 'KAFKA_OUT_OF_ORDER_SEQUENCE_NUMBER');
      return true;
    });
    await assert.rejects(sink.failure, TransientError);
    await assert.rejects(sink.ready(never), TransientError);
    const topic = await sink.topic(TOPIC, never);
    assert.throws(() => appendRecord(topic, { key: 'k', value: 'v' }), TransientError);
  });
});

test('a moved leader is followed by the hint of the answer, without metadata', async () => {
  await withStage({ nodes: 2 }, async ({ cluster, sink }) => {
    await sink.topic(TOPIC, never);
    const before = cluster.metadataRequests;
    cluster.moveLeader(0, 2);
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
    assert.equal(cluster.metadataRequests, before);
  });
});

test('a moved leader is found by metadata where the answer has no hint', async () => {
  await withStage({ nodes: 2 }, async ({ cluster, sink }) => {
    await sink.topic(TOPIC, never);
    const before = cluster.metadataRequests;
    cluster.moveLeader(0, 2);
    cluster.onBatch = ({ nodeId }) => (nodeId === 1 ? { code: 6 } : 'none');
    await sendFourBatches(sink);
    assertOnceInOrder(cluster, 16);
    assert.ok(cluster.metadataRequests > before);
  });
});

test('a throttled sender waits', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.throttleTimeMs = 300;
    const topic = await sink.topic(TOPIC, never);
    appendRecord(topic, { key: 'k', value: 'v' });
    await sink.flush(AbortSignal.timeout(30_000));
    appendRecord(topic, { key: 'k', value: 'v' });
    await sink.flush(AbortSignal.timeout(30_000));
    const [first, second] = cluster.requestTimes;
    assert.ok(second! - first! >= 290, `${second! - first!} ms between the requests`);
  });
});

test('one partition in trouble does not hold up the others', async () => {
  await withStage({ partitions: 2, settings: { deliveryTimeoutMs: 60_000 } }, async ({ cluster, sink }) => {
    cluster.onBatch = ({ partition }) => (partition === 0 ? { code: 19 } : 'none');
    const topic = await sink.topic(TOPIC, never);
    for (let i = 0; i < 20; i++)
      for (const partition of [0, 1]) appendRecord(topic, { key: 'k', value: RECORD, partition });
    await awaitUntil('partition 1 has all', () => cluster.log(1).reduce((sum, { count }) => sum + count, 0) === 20);
    assert.equal(cluster.log(0).length, 0);
    cluster.onBatch = () => 'none';
    await sink.flush(AbortSignal.timeout(30_000));
    assertOnceInOrder(cluster, 20, 0);
    assertOnceInOrder(cluster, 20, 1);
  });
});

test('a delivery timeout ends the sink, naming the partition and the last answer', async () => {
  await withStage({ settings: { deliveryTimeoutMs: 400 } }, async ({ cluster, sink }) => {
    cluster.onBatch = () => ({ code: 19 });
    await assert.rejects(sendFourBatches(sink), (error) => {
      assert.ok(error instanceof TransientError);
      assert.equal(error.code, 'KAFKA_DELIVERY_TIMEOUT');
      assert.match(error.message, /shop\.public\.orders\/0 .*NOT_ENOUGH_REPLICAS/);
      return true;
    });
    const requests = cluster.requests;
    await awaitUntil('the connection is quiet', () => cluster.inFlight === 0);
    assert.equal(cluster.requests, requests);
  });
});

for (const [code, type] of [
  [29, ConfigurationError],
  [31, ConfigurationError],
  [47, TransientError],
  [90, TransientError],
  [59, TransientError],
  [87, FatalError],
  [12345, FatalError],
] as const) {
  test(`error ${code} ends the sink with ${type.name}`, async () => {
    await withStage({}, async ({ cluster, sink }) => {
      cluster.onBatch = () => ({ code });
      let settled = 0;
      const topic = await sink.topic(TOPIC, never);
      const ticket = new Ticket(() => settled++);
      appendRecord(topic, { key: 'k', value: 'v' }, ticket);
      ticket.seal();
      await assert.rejects(sink.flush(AbortSignal.timeout(30_000)), type);
      assert.equal(settled, 0);
    });
  });
}

test('MESSAGE_TOO_LARGE after the limit was lowered restarts the source, otherwise it is the operator’s', async () => {
  for (const [limit, type] of [
    [2_000, TransientError],
    [null, ConfigurationError],
  ] as const) {
    await withStage({}, async ({ cluster, sink }) => {
      const topic = await sink.topic(TOPIC, never);
      cluster.maxMessageBytes = limit;
      cluster.onBatch = () => ({ code: 10 });
      appendRecord(topic, { key: 'k', value: 'v'.repeat(3_000) });
      await assert.rejects(sink.flush(AbortSignal.timeout(30_000)), type);
    });
  }
});

test('a record that the topic does not take is refused, and the limit is exact', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.maxMessageBytes = 3_000;
    const topic = await sink.topic(TOPIC, never);
    const fits = (size: number) => appendRecord(topic, { key: 'k', value: 'v'.repeat(size) });
    let size = 2_800;
    while (fits(size)) size += 1;
    await sink.flush(AbortSignal.timeout(30_000));
    const largest = Math.max(...cluster.log(0).map(({ bytes }) => bytes.length));
    assert.equal(largest, 3_000);
    assert.equal(topic.maxRecordBytes, 3_000 - 61);
    assert.equal(appendRecord(topic, { key: null, value: null, headers: { h: 'v'.repeat(3_000) } }), false);
  });
});

test('a recreated topic is noticed while running', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    const topic = await sink.topic(TOPIC, never);
    cluster.topicId = 2;
    cluster.onBatch = () => ({ code: 3 });
    appendRecord(topic, { key: 'k', value: 'v' });
    await assert.rejects(sink.flush(AbortSignal.timeout(30_000)), (error) => {
      assert.ok(error instanceof ResyncRequiredError);
      assert.match(error.message, /shop\.public\.orders/);
      return true;
    });
  });
});

test('a topic that was made again, or cut short, is noticed by the offset of the next batch', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    const topic = await sink.topic(TOPIC, never);
    appendRecord(topic, { key: 'k', value: 'v' });
    appendRecord(topic, { key: 'k', value: 'v' });
    await sink.flush(AbortSignal.timeout(30_000));
    cluster.recreate();
    const ticket = new Ticket(() => {});
    appendRecord(topic, { key: 'k', value: 'v' }, ticket);
    ticket.seal();
    await assert.rejects(sink.flush(AbortSignal.timeout(30_000)), (error) => {
      assert.ok(error instanceof ResyncRequiredError);
      assert.equal(error.code, 'KAFKA_RECORDS_LOST');
      assert.match(
        error.message,
        /shop\.public\.orders took a batch at offset 0 of partition 0, where 2 was acknowledged/,
      );
      return true;
    });
    assert.equal(ticket.isSettled, false, 'nothing after the loss counts as published');
    assert.deepEqual(
      sink.takeProgress().map(({ endOffsets }) => endOffsets),
      [[2]],
    );
  });
});

test('new partitions are used only once everything sent before is acknowledged', async () => {
  await withStage({}, async ({ cluster, sink, warnings }) => {
    const topic = await sink.topic(TOPIC, never);
    cluster.setPartitions(4);
    let refuse = true;
    cluster.onBatch = () => (refuse ? { code: 6 } : 'none');
    appendRecord(topic, { key: 'a', value: 'v' });
    await awaitUntil('the growth was seen', () => warnings.length === 1);
    for (let i = 0; i < 50; i++) appendRecord(topic, { key: `k${i}`, value: 'v' });
    const ready = sink.ready(AbortSignal.timeout(30_000));
    refuse = false;
    await ready;
    assertOnceInOrder(cluster, 51);
    for (let i = 0; i < 50; i++) appendRecord(topic, { key: `k${i}`, value: 'v' });
    await sink.flush(AbortSignal.timeout(30_000));
    assertOnceInOrder(
      cluster,
      cluster.log(0).reduce((sum, { count }) => sum + count, 0),
    );
    for (const partition of [1, 2, 3]) assert.ok(cluster.log(partition).length > 0);
    assert.equal(warnings.length, 1);
  });
});

test('ready waits while the budget is used up, and ends with its signal', async () => {
  await withStage({ sink: { budgetBytes: 10_000 } }, async ({ cluster, sink }) => {
    const topic = await sink.topic(TOPIC, never);
    await sink.ready(never);
    let refuse = true;
    cluster.onBatch = () => (refuse ? { code: 19 } : 'none');
    for (let i = 0; i < 12; i++) appendRecord(topic, { key: 'k', value: RECORD });
    const stop = new AbortController();
    const waiting = sink.ready(stop.signal);
    stop.abort(new Error('stopping'));
    await assert.rejects(waiting, /stopping/);
    const again = sink.ready(AbortSignal.timeout(30_000));
    refuse = false;
    await again;
    assert.ok(sink.inFlightBytes < 10_000);
  });
});

test('ready waits for what is complete and not sent, long before a large budget is used up', async () => {
  const bytes = 8 * 1024 * 1024;
  await withStage({ sink: { budgetBytes: 8 * bytes, batchBytes: 512 * 1024 } }, async ({ cluster, sink }) => {
    const topic = await sink.topic(TOPIC, never);
    let refuse = true;
    cluster.onBatch = () => (refuse ? { code: 19 } : 'none');
    const value = 'v'.repeat(64 * 1024);
    for (let i = 0; i < (2 * bytes) / value.length; i++) appendRecord(topic, { key: 'k', value });
    const stop = new AbortController();
    const waiting = sink.ready(stop.signal);
    stop.abort(new Error('stopping'));
    await assert.rejects(waiting, /stopping/);
    const again = sink.ready(AbortSignal.timeout(30_000));
    refuse = false;
    await again;
    await sink.flush(AbortSignal.timeout(30_000));
  });
});

test('disposing rejects who waits, closes every socket and lets the process end', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    cluster.onAnswer = () => 'hang';
    const topic = await sink.topic(TOPIC, never);
    appendRecord(topic, { key: 'k', value: 'v' });
    const flushing = assert.rejects(sink.flush(never));
    await awaitUntil('the request is on its way', () => cluster.requests === 1);
    await sink[Symbol.asyncDispose]();
    await flushing;
    await assert.rejects(sink.ready(never));
    assert.throws(() => appendRecord(topic, { key: 'k', value: 'v' }));
    const handles = process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap');
    await awaitUntil('the brokers see it', () => cluster.connections === 0);
    assert.ok(handles.length <= cluster.connections + 2);
  });
});

test('under any sequence of faults every record is in the log once and in order', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seeded(seed);
  try {
    await withStage(
      { nodes: 2, partitions: 3, settings: { requestTimeoutMs: 250, deliveryTimeoutMs: 60_000 } },
      async ({ cluster, sink }) => {
        const topic = await sink.topic(TOPIC, never);
        let calm = false;
        cluster.onBatch = ({ partition }) => {
          const dice = calm ? 1 : random();
          if (dice < 0.04) cluster.moveLeader(partition, 1 + Math.floor(random() * 2));
          if (dice < 0.08) return { code: [19, 20, 7, 6, 5][Math.floor(random() * 5)]!, hint: random() < 0.5 };
          if (dice < 0.12) return { code: [7, 20][Math.floor(random() * 2)]!, appended: true };
          if (dice < 0.16) return { missing: true, appended: random() < 0.5 };
          return 'none';
        };
        cluster.onAnswer = () => {
          const dice = calm ? 1 : random();
          return dice < 0.04 ? 'drop' : dice < 0.05 ? 'hang' : 'none';
        };
        const counts = [0, 0, 0];
        let settled = 0;
        for (let round = 0; round < 150; round++) {
          const ticket = new Ticket(() => settled++);
          for (let i = 0; i < 12; i++) {
            const partition = Math.floor(random() * 3);
            appendRecord(topic, { key: `${counts[partition]!++}`, value: RECORD, partition }, ticket);
          }
          ticket.seal();
          await sink.ready(AbortSignal.timeout(30_000));
          if (round % 5 === 0) await new Promise(setImmediate);
        }
        calm = true;
        await sink.flush(AbortSignal.timeout(30_000));
        counts.forEach((count, partition) => {
          assertOnceInOrder(cluster, count, partition);
        });
        assert.equal(settled, 150);
        assert.equal(sink.inFlightBytes, 0);
        assert.deepEqual(sink.takeProgress()[0]!.endOffsets.length, 3);
      },
    );
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error });
  }
});

/** mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

test('records that are appended in one go share a batch, also the first of them', async () => {
  await withStage({}, async ({ cluster, sink }) => {
    const topic = await sink.topic(TOPIC, never);
    appendRecord(topic, { key: 'k', value: 'the first connects' });
    await sink.flush(AbortSignal.timeout(30_000));
    for (let i = 0; i < 3; i++) appendRecord(topic, { key: 'k', value: 'v' });
    await sink.flush(AbortSignal.timeout(30_000));
    assert.deepEqual(
      cluster.log(0).map(({ count }) => count),
      [1, 3],
    );
  });
});
