import type { Clock } from '../core/clock.ts';
import { ConfigurationError, type TailraceError } from '../core/errors.ts';
import type { KafkaSettings, TopicRule } from '../core/settings.ts';
import type { Connections } from './connections.ts';
import { KafkaCode, kafkaError, kafkaErrorKind } from './error-codes.ts';
import { createTopics } from './protocol/create-topics.ts';
import { describeConfigs } from './protocol/describe-configs.ts';
import { listOffsets } from './protocol/list-offsets.ts';
import { type MetadataResponse, metadata, type PartitionMetadata, type TopicMetadata } from './protocol/metadata.ts';
import { retryTransient } from './retry-transient.ts';

const LEADER_NOT_AVAILABLE = 5;
/** Kafka's own default of `max.message.bytes`, for a user who may not read the topic's settings. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

/** Questions about topics, and their creation. Everything is asked again while the cluster is on its way somewhere. */
export class TopicAdmin {
  readonly #settings: KafkaSettings;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #source: string;

  constructor(settings: KafkaSettings, connections: Connections, clock: Clock, source: string) {
    this.#settings = settings;
    this.#connections = connections;
    this.#clock = clock;
    this.#source = source;
  }

  /** One metadata answer, whose addresses are learnt. */
  async metadata(topics: readonly string[], signal: AbortSignal): Promise<MetadataResponse> {
    const connection = await this.#connections.any(signal);
    const answer = await connection.request(metadata, { topics });
    this.#connections.learn(answer.brokers);
    return answer;
  }

  /** The topics that exist, by name, with a leader for every partition. */
  async findAll(names: readonly string[], signal: AbortSignal): Promise<Map<string, TopicMetadata>> {
    if (names.length === 0) return new Map();
    return this.#retry(signal, async () => {
      const answer = await this.metadata(names, signal);
      const found = new Map<string, TopicMetadata>();
      for (const topic of answer.topics) {
        if (topic.errorCode === KafkaCode.unknownTopicOrPartition) continue;
        if (topic.errorCode !== KafkaCode.none)
          throw this.#error(topic.errorCode, `looking up topic ${topic.name}`, null);
        if (topic.partitions.length === 0 || topic.partitions.some(({ leaderId }) => leaderId < 0)) {
          throw this.#error(LEADER_NOT_AVAILABLE, `looking up the partitions of topic ${topic.name}`, null);
        }
        found.set(topic.name, topic);
      }
      return found;
    });
  }

  /** The topic with a leader for every partition; null where there is no such topic. */
  async find(name: string, signal: AbortSignal): Promise<TopicMetadata | null> {
    return (await this.findAll([name], signal)).get(name) ?? null;
  }

  /** As `find`, creating the topic by the first rule that matches where it is missing. */
  async findOrCreate(name: string, signal: AbortSignal): Promise<TopicMetadata> {
    const existing = await this.find(name, signal);
    if (existing !== null) return existing;
    const rule = this.#settings.topics.find(({ match }) => match.test(name));
    if (rule === undefined) {
      throw new ConfigurationError(`topic ${name} does not exist and no rule of kafka.topics matches it`, {
        code: 'KAFKA_TOPIC_WITHOUT_RULE',
        remedy: 'Create the topic, or add a rule such as { match: ".*", partitions: 1, replication_factor: -1 }.',
        source: this.#source,
      });
    }
    await this.#create(name, rule, signal);
    return this.#retry(signal, async () => {
      const created = await this.find(name, signal);
      if (created !== null) return created;
      throw this.#error(KafkaCode.unknownTopicOrPartition, `looking up topic ${name}, which was just created`, null);
    });
  }

  /** `max.message.bytes` as it is in force; null where we may not read it. */
  async maxMessageBytes(topic: string, signal: AbortSignal): Promise<number | null> {
    const value = Number((await this.setting(topic, 'max.message.bytes', signal)) ?? Number.NaN);
    return Number.isSafeInteger(value) && value > 0 ? value : null;
  }

  /** A setting of a topic as it is in force; null where we may not read it. */
  async setting(topic: string, name: string, signal: AbortSignal): Promise<string | null> {
    return this.#retry(signal, async () => {
      const connection = await this.#connections.any(signal);
      const answer = await connection.request(describeConfigs, { topic, names: [name] });
      if (kafkaErrorKind(answer.errorCode) === 'authorization') return null;
      if (answer.errorCode !== KafkaCode.none) {
        throw this.#error(answer.errorCode, `reading the settings of topic ${topic}`, answer.errorMessage);
      }
      return answer.values.get(name) ?? null;
    });
  }

  /** As `maxMessageBytes`, with Kafka's default for the unknown. */
  async maxMessageBytesOrDefault(topic: string, signal: AbortSignal): Promise<number> {
    return (await this.maxMessageBytes(topic, signal)) ?? DEFAULT_MAX_MESSAGE_BYTES;
  }

  /** Next offset of each partition of the topics, asked of their leaders. Topics that do not exist are left out. */
  async endOffsets(names: readonly string[], signal: AbortSignal): Promise<Map<string, number[]>> {
    return this.offsets('end', names, signal);
  }

  /** As `endOffsets`, for the start of each partition, or its end without what a transaction has not decided. */
  async offsets(
    at: 'start' | 'end' | 'committed',
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, number[]>> {
    return this.#retry(signal, async () => {
      const ends = new Map<string, number[]>();
      for (const [leaderId, topics] of byLeader((await this.findAll(names, signal)).values())) {
        const connection = await this.#connections.broker(leaderId, 'control', signal);
        const answer = await connection.request(listOffsets, { at, topics });
        for (const { topic, partition, errorCode, offset } of answer.partitions) {
          if (errorCode !== KafkaCode.none)
            throw this.#error(errorCode, `reading the offsets of ${topic}/${partition}`, null);
          const offsets = ends.get(topic) ?? [];
          offsets[partition] = offset;
          ends.set(topic, offsets);
        }
      }
      return ends;
    });
  }

  async #create(name: string, rule: TopicRule, signal: AbortSignal): Promise<void> {
    const { partitions, replicationFactor, config } = rule;
    await this.#retry(signal, async () => {
      const { controllerId } = await this.metadata([], signal);
      const connection = await this.#connections.broker(controllerId, 'control', signal);
      const timeoutMs = Math.floor(this.#settings.requestTimeoutMs * 0.8);
      const topics = [{ name, partitions, replicationFactor, config }];
      const answer = await connection.request(createTopics, { topics, timeoutMs });
      const result = answer.topics.find((each) => each.name === name);
      const code = result?.errorCode ?? KafkaCode.unknownTopicOrPartition;
      // Another source, or an earlier attempt of ours whose answer was lost, was faster.
      if (code === KafkaCode.none || code === KafkaCode.topicAlreadyExists) return;
      throw this.#error(code, `creating topic ${name}`, result?.errorMessage ?? null);
    });
  }

  #error(code: number, doing: string, detail: string | null): TailraceError {
    return kafkaError(code, doing, detail, this.#source);
  }

  #retry<T>(signal: AbortSignal, work: (attempt: number) => Promise<T>): Promise<T> {
    return retryTransient(work, this.#settings.deliveryTimeoutMs, this.#clock, signal);
  }
}

interface TopicPartitions {
  readonly name: string;
  readonly partitions: PartitionMetadata[];
}

function byLeader(topics: Iterable<TopicMetadata>): Map<number, TopicPartitions[]> {
  const leaders = new Map<number, TopicPartitions[]>();
  for (const { name, partitions } of topics) {
    for (const partition of partitions) {
      const led = leaders.get(partition.leaderId) ?? [];
      leaders.set(partition.leaderId, led);
      if (led.at(-1)?.name === name) led.at(-1)!.partitions.push(partition);
      else led.push({ name, partitions: [partition] });
    }
  }
  return leaders;
}
