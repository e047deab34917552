import { type Admin, Kafka, logLevel } from 'kafkajs';
import { kafkaBrokers } from './services.ts';

export interface TopicSpec {
  readonly topic: string;
  /** 1 unless told. */
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates topics and resolves when every partition has a leader. */
export async function createKafkaTopics(specs: readonly TopicSpec[], brokers = kafkaBrokers()): Promise<void> {
  await withAdmin(brokers, (admin) =>
    admin.createTopics({
      waitForLeaders: true,
      topics: specs.map((spec) => ({
        topic: spec.topic,
        numPartitions: spec.partitions ?? 1,
        replicationFactor: -1,
        configEntries: Object.entries(spec.config ?? {}).map(([name, value]) => ({ name, value })),
      })),
    }),
  );
}

/** Deletes every topic whose name starts with `prefix` (a name of `uniqueName`, so that no one else's goes with it). */
export async function deleteKafkaTopics(prefix: string, brokers = kafkaBrokers()): Promise<void> {
  if (prefix.length < 8) throw new Error(`prefix "${prefix}" is too short to be the name of one test`);
  await withAdmin(brokers, async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

async function withAdmin<T>(brokers: string[], work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ clientId: 'tailrace-tests', brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
