import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { bigintKey } from '../support/bigint-key.ts';
import type { LoadedTable } from '../support/loaded-table.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { type Lag, lagOf } from './lag.ts';

export const BEATS_SQL = 'CREATE TABLE beats (id bigint PRIMARY KEY)';

const BEAT_MS = 50;
const LAST_BEAT_MS = 30_000;

/**
 * Commits a row every 50 ms until stopped, and waits for each at a consumer of its topic, which exists already. Measured is
 * from before the commit to the record's arrival.
 */
export async function measureLag(table: LoadedTable, topic: string, stop: AbortSignal): Promise<Lag> {
  const sentAt = new Map<number, number>();
  const lags: number[] = [];
  const kafka = new Kafka({ clientId: 'tailrace-bench', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: uniqueName('beats'), maxWaitTimeInMs: 20, minBytes: 1 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => {
        const id = bigintKey(message.key!);
        const sent = sentAt.get(id);
        if (sent === undefined) return;
        lags.push(performance.now() - sent);
        // The same row may come as read, too.
        sentAt.delete(id);
      },
    });
    for (let id = 1; !stop.aborted; id += 1) {
      sentAt.set(id, performance.now());
      await table.query(`INSERT INTO beats VALUES (${id})`);
      await pause(BEAT_MS);
    }
    const deadline = performance.now() + LAST_BEAT_MS;
    while (sentAt.size > 0 && performance.now() < deadline) await pause(BEAT_MS);
    if (sentAt.size > 0) throw new Error(`${sentAt.size} beats did not come within ${LAST_BEAT_MS / 1000} s`);
  } finally {
    await consumer.disconnect();
  }
  return lagOf(lags);
}
