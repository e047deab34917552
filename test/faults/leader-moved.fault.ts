import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaCluster } from '../../deploy/local/kafka.ts';
import { awaitUntil } from '../support/await-until.ts';
import { type FaultedLoad, underLoad } from '../support/faulted-load.ts';
import { isInSync, leaderOf } from '../support/kafka-topics.ts';
import { killBroker, startOwnKafka } from '../support/own-kafka.ts';

const SETTINGS = { request_timeout: '5s' };

test('of three brokers the leader is killed: another leads, and nothing is lost, repeated or out of order', {
  timeout: 400_000,
}, async () => {
  await using kafka = await startOwnKafka({ brokers: 3 });
  const verdict = await underLoad({ store: 'kafka', kafka: SETTINGS }, async (load) => {
    for (let kill = 0; kill < 2; kill += 1) {
      const leader = await leading(kafka.cluster, load);
      await killBroker(leader);
      await ledByAnother(load, leader.id);
      await load.published(200);
      await leader.start();
      await awaitUntil('all replicas have everything', () => isInSync(load.topic('accounts')), { timeoutMs: 60_000 });
    }
    assert.equal(await load.metric('tailrace_restarts_total'), 0, 'the new leader is found without a restart');
  });
  assert.equal(verdict.duplicates, 0);
});

test('of three brokers the leader stands still: what it takes when it wakes is not taken twice', {
  timeout: 400_000,
}, async () => {
  await using kafka = await startOwnKafka({ brokers: 3 });
  const verdict = await underLoad({ store: 'kafka', kafka: SETTINGS }, async (load) => {
    const leader = await leading(kafka.cluster, load);
    leader.process().signal('SIGSTOP');
    try {
      await ledByAnother(load, leader.id);
      await load.published(200);
    } finally {
      leader.process().signal('SIGCONT');
    }
    await awaitUntil('all replicas have everything', () => isInSync(load.topic('accounts')), { timeoutMs: 60_000 });
    await load.published(200);
    assert.equal(await load.metric('tailrace_restarts_total'), 0);
  });
  assert.equal(verdict.duplicates, 0);
});

async function leading(cluster: KafkaCluster, load: FaultedLoad) {
  const id = await leaderOf(load.topic('accounts'));
  return cluster.brokers.find((broker) => broker.id === id)!;
}

async function ledByAnother(load: FaultedLoad, id: number): Promise<void> {
  const look = async () => {
    const leader = await leaderOf(load.topic('accounts'));
    return leader > 0 && leader !== id;
  };
  await awaitUntil(`broker ${id} leads no more`, look, { timeoutMs: 60_000 });
}
