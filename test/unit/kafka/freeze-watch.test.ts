import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnershipLostError } from '../../../src/core/errors.ts';
import { FreezeWatch } from '../../../src/kafka/freeze-watch.ts';
import { createKafkaSink, type KafkaSinkOptions } from '../../../src/kafka/kafka-sink.ts';
import { awaitUntil } from '../../support/await-until.ts';
import { ScriptedCluster } from './scripted-cluster.ts';
import { appendRecord, kafkaSettings, recordingLogger, recordingMetrics, systemClock } from './sink-fixture.ts';

const TOPIC = 'shop.public.orders';
const FROZEN_AFTER_MS = 200;
const never = new AbortController().signal;

test('a gap of either clock counts once, small steps and steps back do not', () => {
  const now = { monotonic: 0, wall: 1_000_000 };
  const watch = new FreezeWatch(5_000, { monotonicMs: () => now.monotonic, wallMs: () => now.wall });
  const step = (monotonic: number, wall: number) => {
    now.monotonic += monotonic;
    now.wall += wall;
    return watch.gaps;
  };
  assert.equal(step(1_000, 1_000), 0);
  assert.equal(step(4_900, 4_900), 0);
  assert.equal(step(1_000, -3_600_000), 0, 'the clock was set back');
  assert.equal(step(70_000, 70_000), 1, 'SIGSTOP');
  assert.equal(step(1_000, 1_000), 1);
  assert.equal(step(0, 70_000), 2, 'the machine was suspended');
  assert.equal(step(10, 10), 2);
  watch.stop();
});

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function sinkOn(cluster: ScriptedCluster, options: Partial<KafkaSinkOptions>) {
  await cluster.start(1);
  return createKafkaSink(
    {
      settings: kafkaSettings({ brokers: [cluster.address(1)] }),
      source: 'shop',
      budgetBytes: 1 << 20,
      metrics: recordingMetrics(new Map()),
      logger: recordingLogger([]),
      clock: systemClock,
      frozenAfterMs: FROZEN_AFTER_MS,
      ...options,
    },
    never,
  );
}

test('a process that stood still sends nothing before its ownership is confirmed', async () => {
  const confirmation = Promise.withResolvers<void>();
  let asked = 0;
  await using cluster = new ScriptedCluster(TOPIC, 1);
  await using sink = await sinkOn(cluster, {
    confirmOwnership: () => {
      asked += 1;
      return confirmation.promise;
    },
  });
  const topic = await sink.topic(TOPIC, never);
  appendRecord(topic, { key: 'a', value: 'before' });
  await sink.flush(never);
  assert.equal(asked, 0, 'nobody asks without need');
  appendRecord(topic, { key: 'b', value: 'buffered when it froze' });
  standStill(2 * FROZEN_AFTER_MS);
  const flushed = sink.flush(AbortSignal.timeout(30_000));

  await awaitUntil('the owner is asked', () => asked === 1);
  appendRecord(topic, { key: 'c', value: 'appended meanwhile' });
  // A whole turn of the loop in which it could have been sent.
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(cluster.requests, 1);
  confirmation.resolve();
  await flushed;
  assert.equal(asked, 1);
  assert.deepEqual(
    cluster.log(0).reduce((sum, { count }) => sum + count, 0),
    3,
  );
});

test('a process that was overtaken while it stood still sends nothing more', async () => {
  const taken = new OwnershipLostError('another one has it', { code: 'TAKEN', remedy: 'None.' });
  await using cluster = new ScriptedCluster(TOPIC, 1);
  await using sink = await sinkOn(cluster, { confirmOwnership: () => Promise.reject(taken) });
  const topic = await sink.topic(TOPIC, never);
  appendRecord(topic, { key: 'a', value: 'buffered when it froze' });
  standStill(2 * FROZEN_AFTER_MS);
  await assert.rejects(sink.failure, taken);
  await assert.rejects(sink.flush(never), taken);
  assert.equal(cluster.requests, 0);
});

test('standing still again while ownership is being confirmed asks again', async () => {
  let asked = 0;
  await using cluster = new ScriptedCluster(TOPIC, 1);
  await using sink = await sinkOn(cluster, {
    confirmOwnership: async () => {
      asked += 1;
      if (asked === 1) standStill(2 * FROZEN_AFTER_MS);
    },
  });
  const topic = await sink.topic(TOPIC, never);
  appendRecord(topic, { key: 'a', value: 'v' });
  standStill(2 * FROZEN_AFTER_MS);
  await sink.flush(AbortSignal.timeout(30_000));
  assert.equal(asked, 2);
});
