import { ConfigurationError, TransientError } from '../core/errors.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Connections } from './connections.ts';
import { KafkaCode } from './error-codes.ts';
import { decodeBatches } from './fenced-topic-batches.ts';
import { BrokerAnswerError, type Persistence, persistently } from './fenced-topic-retry.ts';
import { CommittedView } from './fenced-topic-view.ts';
import type { Api } from './protocol/api.ts';
import { createTopics } from './protocol/create-topics.ts';
import { describeConfigs } from './protocol/describe-configs.ts';
import { fetch } from './protocol/fetch.ts';
import { type ListOffsetsRequest, type ListOffsetsResponse, listOffsets } from './protocol/list-offsets.ts';
import { metadata, type TopicMetadata } from './protocol/metadata.ts';

const FETCH_BYTES = 4 * 1024 * 1024;
const FETCH_WAIT_MS = 500;
const CREATE_TIMEOUT_MS = 10_000;
/** Compaction leaves the active segment alone, and every start reads what is left: small segments keep that short. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Empty answers in a row below the end after which that end is believed to be compacted away. */
const EMPTY_ANSWERS = 3;
const EARLIEST = -2n;
const OFFSET_OUT_OF_RANGE = 1;

/** The only partition of a topic, and what must be true of that topic. */
export class TopicPartition {
  readonly topic: string;
  readonly #connections: Connections;
  #leaderId = -1;

  constructor(connections: Connections, topic: string) {
    this.#connections = connections;
    this.topic = topic;
  }

  /** Creates the topic where it is missing. @returns the topic's id. */
  async ensure(replicationFactor: number, persistence: Persistence): Promise<string> {
    let found = await this.find(persistence);
    if (found === null) {
      await this.#create(replicationFactor, persistence);
      found = await persistently(persistence, async () => {
        const created = await this.#lookUp(persistence.signal);
        if (created === null) throw new BrokerAnswerError(KafkaCode.unknownTopicOrPartition, this.#doing('looking up'));
        return created;
      });
    }
    await this.#verify(found, persistence);
    return found.topicId;
  }

  /** As `ensure` for a topic that exists; one that does not is fine and is not created. */
  async verify(persistence: Persistence): Promise<void> {
    const found = await this.find(persistence);
    if (found !== null) await this.#verify(found, persistence);
  }

  async #verify({ partitions }: TopicMetadata, persistence: Persistence): Promise<void> {
    if (partitions.length !== 1) throw severalPartitions(this.topic, partitions.length);
    await this.#verifyPolicy(persistence);
  }

  /** What the cluster says about the topic; null where there is none. */
  find(persistence: Persistence): Promise<TopicMetadata | null> {
    return persistently(persistence, () => this.#lookUp(persistence.signal));
  }

  /** A connection to the leader. @throws TransientError while there is none. */
  async leader(signal: AbortSignal): Promise<BrokerConnection> {
    if (this.#leaderId < 0) await this.#lookUp(signal);
    return this.#connections.broker(this.#leaderId, 'data', signal);
  }

  /** Another look for the leader before the next use. */
  relocate(): void {
    this.#leaderId = -1;
  }

  /** Everything committed under keys with this prefix, up to the end of the partition at the time of the call. */
  async read(keyPrefix: string, persistence: Persistence): Promise<ReadonlyMap<string, string>> {
    const view = new CommittedView(keyPrefix);
    const end = await persistently(persistence, () => this.#offset(listOffsets, persistence.signal));
    let offset = await persistently(persistence, () => this.#offset(earliestOffsets, persistence.signal));
    let empty = 0;
    while (offset < end && empty < EMPTY_ANSWERS) {
      const { records, highWatermark } = await persistently(persistence, () => this.#fetch(offset, persistence.signal));
      const from = offset;
      for (const batch of await decodeBatches(records, this.topic)) {
        // The first batch may begin before the offset that was asked for.
        if (batch.nextOffset <= from) continue;
        view.add(batch);
        offset = batch.nextOffset;
      }
      empty = offset === from && highWatermark >= end ? empty + 1 : 0;
    }
    return view.records;
  }

  async #lookUp(signal: AbortSignal): Promise<TopicMetadata | null> {
    const connection = await this.#connections.any(signal);
    const answer = await untilAborted(connection.request(metadata, { topics: [this.topic] }), signal);
    this.#connections.learn(answer.brokers);
    const topic = answer.topics.find(({ name }) => name === this.topic);
    const code = topic?.errorCode ?? KafkaCode.unknownTopicOrPartition;
    if (code === KafkaCode.unknownTopicOrPartition) return null;
    if (topic === undefined || code !== 0) throw new BrokerAnswerError(code, this.#doing('looking up'));
    this.#leaderId = topic.partitions.find(({ partition }) => partition === 0)?.leaderId ?? -1;
    if (this.#leaderId < 0) throw withoutLeader(this.topic);
    return topic;
  }

  async #create(replicationFactor: number, persistence: Persistence): Promise<void> {
    const { signal } = persistence;
    const config = { 'cleanup.policy': 'compact', 'segment.bytes': String(SEGMENT_BYTES) };
    const topics = [{ name: this.topic, partitions: 1, replicationFactor, config }];
    await persistently(persistence, async () => {
      const connection = await this.#connections.any(signal);
      const answer = await untilAborted(
        connection.request(createTopics, { topics, timeoutMs: CREATE_TIMEOUT_MS }),
        signal,
      );
      const { errorCode, errorMessage } = answer.topics[0] ?? { errorCode: -1, errorMessage: null };
      if (errorCode === 0 || errorCode === KafkaCode.topicAlreadyExists) return;
      throw new BrokerAnswerError(errorCode, this.#doing('creating'), errorMessage);
    });
  }

  async #verifyPolicy(persistence: Persistence): Promise<void> {
    const { signal } = persistence;
    const policy = await persistently(persistence, async () => {
      const connection = await this.#connections.any(signal);
      const request = { topic: this.topic, names: ['cleanup.policy'] };
      const answer = await untilAborted(connection.request(describeConfigs, request), signal);
      if (answer.errorCode === 0) return answer.values.get('cleanup.policy') ?? null;
      throw new BrokerAnswerError(answer.errorCode, this.#doing('reading the settings of'), answer.errorMessage);
    });
    if (policy !== 'compact') throw notCompacted(this.topic, policy);
  }

  async #offset(api: Api<ListOffsetsRequest, ListOffsetsResponse>, signal: AbortSignal): Promise<number> {
    const connection = await this.leader(signal);
    const topics = [{ name: this.topic, partitions: [{ partition: 0, leaderEpoch: -1 }] }];
    const answer = await untilAborted(connection.request(api, { topics }), signal);
    const partition = answer.partitions[0] ?? { errorCode: -1, offset: -1 };
    if (partition.errorCode === 0) return partition.offset;
    throw new BrokerAnswerError(partition.errorCode, this.#doing('looking for the end of'));
  }

  async #fetch(offset: number, signal: AbortSignal): Promise<{ records: Buffer; highWatermark: number }> {
    const connection = await this.leader(signal);
    const request = {
      topic: this.topic,
      partition: 0,
      offset,
      maxWaitMs: FETCH_WAIT_MS,
      maxBytes: FETCH_BYTES,
    };
    const { errorCode, partition } = await untilAborted(connection.request(fetch, request), signal);
    const code = errorCode === 0 ? (partition?.errorCode ?? 0) : errorCode;
    // Between two looks the beginning moved, which only a deletion of records does: not a log that may be trusted.
    if (code === OFFSET_OUT_OF_RANGE) throw new BrokerAnswerError(code, this.#doing(`reading offset ${offset} of`));
    if (code !== 0) throw new BrokerAnswerError(code, this.#doing('reading'));
    return partition ?? { records: Buffer.alloc(0), highWatermark: -1 };
  }

  #doing(what: string): string {
    return `${what} the checkpoint topic ${this.topic}`;
  }
}

const earliestOffsets: Api<ListOffsetsRequest, ListOffsetsResponse> = {
  ...listOffsets,
  encode(out, request) {
    out.int32(-1);
    out.int8(0);
    out.array(request.topics, ({ name, partitions }) => {
      out.string(name);
      out.array(partitions, ({ partition, leaderEpoch }) => {
        out.int32(partition);
        out.int32(leaderEpoch);
        out.int64(EARLIEST);
        out.noTags();
      });
      out.noTags();
    });
    out.noTags();
  },
};

function withoutLeader(topic: string): TransientError {
  return new TransientError(`the checkpoint topic ${topic} has no leader`, {
    code: 'CHECKPOINT_TOPIC_WITHOUT_LEADER',
    remedy: 'Start the brokers that hold its replicas.',
  });
}

function severalPartitions(topic: string, partitions: number): ConfigurationError {
  return new ConfigurationError(`the checkpoint topic ${topic} has ${partitions} partitions; it must have 1`, {
    code: 'CHECKPOINT_TOPIC_PARTITIONS',
    remedy:
      'Name another topic in checkpoint.topic, or delete this one if nothing needs it: it is created as it must be.',
  });
}

function notCompacted(topic: string, policy: string | null): ConfigurationError {
  return new ConfigurationError(
    `the checkpoint topic ${topic} has cleanup.policy=${policy ?? '(unknown)'}; anything but compact deletes checkpoints`,
    {
      code: 'CHECKPOINT_TOPIC_NOT_COMPACTED',
      remedy: `Run kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config cleanup.policy=compact.`,
    },
  );
}
