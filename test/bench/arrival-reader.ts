import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { teachKafkajsZstd } from '../../deploy/local/kafkajs-zstd.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';

teachKafkajsZstd();

/** A record that a consumer was given. */
export interface Arrival {
  readonly key: Buffer | null;
  /** Monotonic, of this process. */
  readonly atMs: number;
}

/** Reads a topic from its start and notes when records come. */
export class ArrivalReader implements AsyncDisposable {
  readonly arrivals: Arrival[] = [];
  readonly #consumer: Consumer;

  private constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** Resolves when it has its partitions. */
  static async open(topic: string): Promise<ArrivalReader> {
    const kafka = new Kafka({ clientId: 'tailrace-bench', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
    const consumer = kafka.consumer({ groupId: uniqueName('bench'), minBytes: 1, maxWaitTimeInMs: 500 });
    const reader = new ArrivalReader(consumer);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
    await consumer.run({
      eachBatch: async ({ batch }) => {
        const atMs = performance.now();
        for (const { key } of batch.messages) reader.arrivals.push({ key, atMs });
      },
    });
    await joined;
    return reader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#consumer.disconnect();
  }
}
