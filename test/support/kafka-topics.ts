import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs';
import { awaitUntil } from './await-until.ts';
import { kafkaBrokers } from './services.ts';

export interface TopicSpec {
  readonly topic: string;
  /** 1 unless told. */
  readonly partitions?: number;
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * Creates topics and resolves when every partition answers. That the metadata name its leader is not enough: the broker makes
 * the logs after that, and kafkajs sends a request again as a whole if one of its partitions is not there yet.
 */
export async function createKafkaTopics(specs: readonly TopicSpec[], brokers = kafkaBrokers()): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    await admin.createTopics({
      // kafkajs takes a topic that the broker has not heard of yet for an error.
      waitForLeaders: false,
      topics: specs.map((spec) => ({
        topic: spec.topic,
        numPartitions: spec.partitions ?? 1,
        replicationFactor: -1,
        configEntries: Object.entries(spec.config ?? {}).map(([name, value]) => ({ name, value })),
      })),
    });
    for (const { topic, partitions = 1 } of specs) {
      const answered = async () => (await admin.fetchTopicOffsets(topic)).length === partitions;
      await awaitUntil(`every partition of ${topic} answered`, answered);
    }
  });
}

/** Changes settings of a topic, as an operator would with kafka-configs. */
export async function setTopicConfig(
  topic: string,
  config: Readonly<Record<string, string>>,
  brokers = kafkaBrokers(),
): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
  });
}

/** Partition count and settings that differ from the broker's, of a topic. */
export async function describeTopic(
  topic: string,
  brokers = kafkaBrokers(),
): Promise<{ readonly partitions: number; readonly config: Readonly<Record<string, string>> }> {
  return withAdmin(brokers, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    const entries = resources[0]?.configEntries.filter(({ isDefault }) => !isDefault) ?? [];
    return {
      partitions: topics[0]?.partitions.length ?? 0,
      config: Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue])),
    };
  });
}

/** Id of the broker that leads a partition now; -1 where none does. */
export async function leaderOf(topic: string, partition = 0, brokers = kafkaBrokers()): Promise<number> {
  return withAdmin(brokers, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
  });
}

/** Whether every replica of every partition of the topic has all of it. */
export async function isInSync(topic: string, brokers = kafkaBrokers()): Promise<boolean> {
  return withAdmin(brokers, async (admin) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length));
  });
}

/** Gives a topic more partitions. */
export async function addPartitions(topic: string, count: number, brokers = kafkaBrokers()): Promise<void> {
  await withAdmin(brokers, (admin) => admin.createPartitions({ topicPartitions: [{ topic, count }] }));
}

/** Deletes every topic whose name starts with `prefix` (a name of `uniqueName`, so that no one else's goes with it). */
export async function deleteKafkaTopics(prefix: string, brokers = kafkaBrokers()): Promise<void> {
  if (prefix.length < 8) throw new Error(`prefix "${prefix}" is too short to be the name of one test`);
  await withAdmin(brokers, async (admin) => {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

/** Deletes exactly these topics; a name that no topic has is no error. */
export async function deleteTopicsNamed(names: readonly string[], brokers = kafkaBrokers()): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const topics = names.filter((name) => existing.has(name));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  });
}

/** Resolves when each topic has at least this many records (in all its partitions together). */
export async function awaitTopicEnds(
  ends: ReadonlyMap<string, number>,
  timeoutMs: number,
  brokers = kafkaBrokers(),
): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const missing = new Map(ends);
    const look = async () => {
      const existing = new Set(await admin.listTopics());
      for (const [topic, count] of missing) {
        if (!existing.has(topic)) continue;
        if ((await recordsIn(admin, topic)) >= count) missing.delete(topic);
      }
      if (missing.size > 0) throw new Error(`not yet: ${[...missing.keys()].join(', ')}`);
      return true;
    };
    await awaitUntil(`${ends.size} topics had their records`, look, { timeoutMs, intervalMs: 100 });
  });
}

/** Records in all topics whose name starts with `prefix`. */
export async function countRecords(prefix: string, brokers = kafkaBrokers()): Promise<number> {
  return withAdmin(brokers, (admin) => recordsOf(admin, prefix));
}

/** Resolves when the topics whose name starts with `prefix` have at least `count` records together. */
export async function awaitRecords(
  prefix: string,
  count: number,
  timeoutMs: number,
  brokers = kafkaBrokers(),
): Promise<void> {
  await withAdmin(brokers, async (admin) => {
    const look = async () => (await recordsOf(admin, prefix)) >= count;
    await awaitUntil(`${prefix}* had ${count} records`, look, { timeoutMs, intervalMs: 50 });
  });
}

/** End offset of a topic of one partition. */
export async function topicEnd(topic: string, brokers = kafkaBrokers()): Promise<number> {
  return withAdmin(brokers, async (admin) => {
    const partitions = await admin.fetchTopicOffsets(topic);
    if (partitions.length !== 1) throw new Error(`${topic} has ${partitions.length} partitions`);
    return Number(partitions[0]!.high);
  });
}

async function recordsOf(admin: Admin, prefix: string): Promise<number> {
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  const counts = await Promise.all(topics.map((topic) => recordsIn(admin, topic)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function recordsIn(admin: Admin, topic: string): Promise<number> {
  const partitions = await admin.fetchTopicOffsets(topic);
  return partitions.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
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
