import { type Admin, Kafka, logLevel } from 'kafkajs';
import { awaitUntil } from '../support/await-until.ts';
import { kafkaBrokers } from '../support/services.ts';

const LOOK_EVERY_MS = 50;

/** Counts what arrives in the topics of one prefix, as the broker tells it: the daemon's own counters move once a second. */
export class RecordCount implements AsyncDisposable {
  readonly #admin: Admin;
  readonly #prefix: string;
  readonly #atStart: number;

  private constructor(admin: Admin, prefix: string, atStart: number) {
    this.#admin = admin;
    this.#prefix = prefix;
    this.#atStart = atStart;
  }

  /** Counts from now on. */
  static async start(prefix: string): Promise<RecordCount> {
    const admin = new Kafka({
      clientId: 'tailrace-bench',
      brokers: kafkaBrokers(),
      logLevel: logLevel.NOTHING,
    }).admin();
    await admin.connect();
    return new RecordCount(admin, prefix, await countRecords(admin, prefix));
  }

  /** Resolves when so many records have come. */
  async until(records: number, timeoutMs: number): Promise<void> {
    const look = async () => (await countRecords(this.#admin, this.#prefix)) - this.#atStart >= records;
    await awaitUntil(`${records} records had come to ${this.#prefix}.*`, look, {
      timeoutMs,
      intervalMs: LOOK_EVERY_MS,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect();
  }
}

async function countRecords(admin: Admin, prefix: string): Promise<number> {
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  const partitions = (await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)))).flat();
  return partitions.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
}
