import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { awaitUntil } from './await-until.ts';
import { createKafkaTopics, deleteTopicsNamed, describeTopic } from './kafka-topics.ts';
import { kafkaBrokers } from './services.ts';
import { listTopics, type ReadRecord, readTopics } from './topic-reader.ts';

/** Makes a topic anew of what `change` leaves of its records: each keeps its partition, key, value and headers. */
export async function rewriteTopic(
  topic: string,
  change: (records: readonly ReadRecord[]) => readonly ReadRecord[],
): Promise<void> {
  const { partitions } = await describeTopic(topic);
  const records = change(await readTopics([topic]));
  await deleteTopicsNamed([topic]);
  await awaitUntil(`${topic} was deleted`, async () => !(await listTopics(topic)).includes(topic), {
    timeoutMs: 90_000,
  });
  await createKafkaTopics([{ topic, partitions }]);
  await appendRecords(topic, records);
}

/** Appends records as somebody else than the daemon would. */
export async function appendRecords(
  topic: string,
  records: readonly Pick<ReadRecord, 'partition' | 'key' | 'value'>[],
): Promise<void> {
  const kafka = new Kafka({ clientId: 'tailrace-tests', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  try {
    const messages = records.map(({ partition, key, value, ...rest }) => ({
      partition,
      key,
      value,
      headers: Object.fromEntries('headers' in rest ? (rest.headers as ReadRecord['headers']) : []),
    }));
    await producer.send({ topic, acks: -1, compression: CompressionTypes.GZIP, messages });
  } finally {
    await producer.disconnect();
  }
}

/** Deletes the records of a partition before an offset, as retention does. */
export async function deleteRecordsBefore(topic: string, partition: number, offset: number): Promise<void> {
  const kafka = new Kafka({ clientId: 'tailrace-tests', brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  try {
    // Teaches the client who leads the partition.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  } finally {
    await admin.disconnect();
  }
}
