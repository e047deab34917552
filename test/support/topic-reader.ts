import { Kafka, logLevel } from 'kafkajs';
import { teachKafkajsZstd } from '../../deploy/local/kafkajs-zstd.ts';
import { kafkaBrokers } from './services.ts';
import { uniqueName } from './unique-name.ts';

teachKafkajsZstd();

/** A record as an independent client (kafkajs) read it. */
export interface ReadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In the order of the record. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** Reads topics from their start to the end that they have now; records of one partition come in order. */
export async function readTopics(topics: readonly string[], brokers = kafkaBrokers()): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readEachRecord(topics, (record) => records.push(record), brokers);
  return records;
}

/** As `readTopics`, without holding the records. */
export async function readEachRecord(
  topics: readonly string[],
  take: (record: ReadRecord) => void,
  brokers = kafkaBrokers(),
): Promise<void> {
  const kafka = new Kafka({ clientId: 'tailrace-tests', brokers, logLevel: logLevel.NOTHING });
  const remaining = await endOffsets(kafka, topics);
  if (remaining.size === 0) return;
  const consumer = kafka.consumer({
    groupId: uniqueName('reader'),
    sessionTimeout: 30_000,
    maxBytesPerPartition: 64 * 1024 * 1024,
  });
  await consumer.connect();
  try {
    const read = [...new Set([...remaining.keys()].map((key) => key.slice(0, key.lastIndexOf('/'))))];
    await consumer.subscribe({ topics: read, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => {
        // After a broker's start its coordinator is not there at once: kafkajs joins again by itself.
        if (!payload.restart) reject(payload.error);
      });
      consumer
        .run({
          eachBatch: async ({ batch, heartbeat }) => {
            const key = `${batch.topic}/${batch.partition}`;
            for (const message of batch.messages) {
              take({
                topic: batch.topic,
                partition: batch.partition,
                offset: Number(message.offset),
                key: message.key,
                value: message.value,
                headers: Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)] as const),
              });
            }
            await heartbeat();
            const end = remaining.get(key);
            if (end !== undefined && Number(batch.lastOffset()) + 1 >= end) remaining.delete(key);
            if (remaining.size === 0) resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
}

/** End offsets by `topic/partition` of those that hold something; unknown topics hold nothing. */
async function endOffsets(kafka: Kafka, topics: readonly string[]): Promise<Map<string, number>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const ends = new Map<string, number>();
    for (const topic of topics) {
      if (!existing.has(topic)) continue;
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (Number(high) > Number(low)) ends.set(`${topic}/${partition}`, Number(high));
      }
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}

/** Names of the topics that start with `prefix`. */
export async function listTopics(prefix: string, brokers = kafkaBrokers()): Promise<string[]> {
  const admin = new Kafka({ clientId: 'tailrace-tests', brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  } finally {
    await admin.disconnect();
  }
}
