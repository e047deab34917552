import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { underLoad } from '../support/faulted-load.ts';
import { killBroker, startOwnKafka } from '../support/own-kafka.ts';

const FROZEN_MS = 30_000;

for (const store of ['file', 'kafka'] as const) {
  test(`the only broker is killed and started again (store: ${store}): the source waits for it and loses nothing`, {
    timeout: 600_000,
  }, async () => {
    await using kafka = await startOwnKafka({ brokers: 1 });
    const broker = kafka.cluster.brokers[0]!;
    let restarts = 0;
    const verdict = await underLoad({ store, kafka: { delivery_timeout: '5m' } }, async (load) => {
      for (let kill = 0; kill < 2; kill += 1) {
        await killBroker(broker);
        await broker.start();
        await load.published(200);
      }
      restarts = await load.metric('tailrace_restarts_total');
      assert.equal((await load.daemon.status(load.name)).state, 'streaming');
    });
    // A checkpoint that Kafka does not take for 30 s ends the attempt; records wait for longer.
    if (store === 'file') assert.equal(restarts, 0, 'it goes on where it was');
    if (restarts === 0) assert.equal(verdict.duplicates, 0);
  });
}

test('the only broker stands still for 30 s: what was given up and sent again is there once', {
  timeout: 600_000,
}, async () => {
  await using kafka = await startOwnKafka({ brokers: 1 });
  const process = kafka.cluster.brokers[0]!.process();
  const verdict = await underLoad({ kafka: { request_timeout: '5s' } }, async (load) => {
    process.signal('SIGSTOP');
    await pause(FROZEN_MS);
    assert.equal((await load.daemon.get('/livez')).status, 200, 'waiting is not being stuck');
    assert.equal((await load.daemon.status(load.name)).state, 'streaming');
    process.signal('SIGCONT');
    await load.published(200);
    assert.equal(await load.metric('tailrace_restarts_total'), 0);
  });
  assert.equal(verdict.duplicates, 0);
});
