import assert from 'node:assert/strict';
import { test } from 'node:test';
import { underLoad } from '../support/faulted-load.ts';
import { KafkaProxy, PRODUCE } from '../support/kafka-proxy.ts';
import { startOwnKafka } from '../support/own-kafka.ts';

/*
 * The proxy loses what a network can lose. The idempotent producer makes good for it: a batch that is sent again is
 * recognised by its sequence number, and one that comes late finds its place taken.
 */

const FAULTS = 6;

for (const [what, fault] of [
  ['an answer is lost with its connection', { kind: 'answer-lost' }],
  ['an answer never comes', { kind: 'answer-kept' }],
  ['a request arrives after it was given up and sent again', { kind: 'late', ms: 3_000 }],
] as const) {
  test(`${what}: nothing is lost, repeated or out of order`, { timeout: 600_000 }, async () => {
    await using kafka = await startOwnKafka({ brokers: 1, proxied: true });
    await using proxy = await KafkaProxy.at(kafka.cluster.brokers[0]!.proxied!);
    const verdict = await underLoad({ kafka: { brokers: [proxy.address], request_timeout: '1s' } }, async (load) => {
      for (let done = 0; done < FAULTS; done += 1) {
        const struck = Promise.withResolvers<void>();
        proxy.onRequest = (apiKey) => {
          if (apiKey !== PRODUCE) return null;
          proxy.onRequest = () => null;
          struck.resolve();
          return fault;
        };
        await struck.promise;
        await load.published(50);
      }
      assert.equal(await load.metric('tailrace_restarts_total'), 0, 'no attempt ends because of it');
      assert.equal((await load.daemon.status(load.name)).last_error, null);
    });
    assert.equal(verdict.duplicates, 0);
    assert.ok(verdict.records > 500, `${verdict.records} records`);
  });
}
