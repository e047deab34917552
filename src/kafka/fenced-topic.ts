import { TransientError } from '../core/errors.ts';
import type { ClaimRequest, FencedTopic, TopicClaim } from '../core/fenced-topic.ts';
import type { KafkaSettings } from '../core/settings.ts';
import { Connections } from './connections.ts';
import { TopicPartition } from './fenced-topic-partition.ts';
import { FencedProducer } from './fenced-topic-producer.ts';
import type { Persistence } from './fenced-topic-retry.ts';

export interface FencedTopicOptions {
  /** Time limit of a claim or a peek, all its requests together. */
  readonly claimTimeoutMs: number;
  /** Time limit of one put; must stay well below the transaction's own timeout of a minute. */
  readonly putTimeoutMs: number;
  connect(settings: KafkaSettings, clientId: string): Connections;
}

const DEFAULTS: FencedTopicOptions = {
  claimTimeoutMs: 60_000,
  putTimeoutMs: 30_000,
  connect: (settings, clientId) => new Connections(settings, clientId),
};

/**
 * A FencedTopic on a real cluster. Ownership is the epoch of a transactional id: a claim asks for the next epoch, and the
 * transaction coordinator refuses every older one. A plain compare-and-set on a topic does not exist.
 */
export class KafkaFencedTopic implements FencedTopic {
  readonly #settings: KafkaSettings;
  readonly #topic: string;
  readonly #options: FencedTopicOptions;
  readonly #claims = new Set<KafkaTopicClaim>();

  constructor(settings: KafkaSettings, topic: string, options: Partial<FencedTopicOptions> = {}) {
    this.#settings = settings;
    this.#topic = topic;
    this.#options = { ...DEFAULTS, ...options };
  }

  async claim(request: ClaimRequest, signal: AbortSignal): Promise<TopicClaim> {
    signal.throwIfAborted();
    const connections = this.#options.connect(this.#settings, `tailrace-checkpoint-${request.source}`);
    try {
      const partition = new TopicPartition(connections, this.#topic);
      const producer = new FencedProducer(connections, partition, request.transactionalId, request.source);
      const persistence = persistenceOf(this.#options.claimTimeoutMs, signal, request.source, partition, producer);
      const topicId = await partition.ensure(this.#replicationFactor(), persistence);
      // Fence first, read then: what an older owner still had under way is in the log by now, or never will be.
      await producer.initialise(persistence);
      const records = await partition.read(request.keyPrefix, persistence);
      const { putTimeoutMs } = this.#options;
      const parts = { request, connections, partition, producer, topicId, records, putTimeoutMs };
      const claim = new KafkaTopicClaim(parts, () => this.#claims.delete(claim));
      this.#claims.add(claim);
      return claim;
    } catch (error) {
      await connections[Symbol.asyncDispose]();
      throw error;
    }
  }

  async peek(keyPrefix: string, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    signal.throwIfAborted();
    await using connections = this.#options.connect(this.#settings, 'tailrace-checkpoint-peek');
    const partition = new TopicPartition(connections, this.#topic);
    const persistence = persistenceOf(this.#options.claimTimeoutMs, signal, null, partition);
    if ((await partition.find(persistence)) === null) return new Map();
    return await partition.read(keyPrefix, persistence);
  }

  /** Fails as a claim would where the topic is not as it must be. A missing topic is fine: a claim creates it. */
  async verify(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await using connections = this.#options.connect(this.#settings, 'tailrace-checkpoint-check');
    const partition = new TopicPartition(connections, this.#topic);
    await partition.verify(persistenceOf(this.#options.claimTimeoutMs, signal, null, partition));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#claims].map((claim) => claim[Symbol.asyncDispose]()));
  }

  #replicationFactor(): number {
    return this.#settings.topics.find(({ match }) => match.test(this.#topic))?.replicationFactor ?? -1;
  }
}

interface ClaimParts {
  readonly request: ClaimRequest;
  readonly connections: Connections;
  readonly partition: TopicPartition;
  readonly producer: FencedProducer;
  readonly topicId: string;
  readonly records: ReadonlyMap<string, string>;
  readonly putTimeoutMs: number;
}

class KafkaTopicClaim implements TopicClaim {
  readonly records: ReadonlyMap<string, string>;
  readonly #parts: ClaimParts;
  readonly #disposed: () => void;
  #failure: unknown = null;

  constructor(parts: ClaimParts, disposed: () => void) {
    this.records = parts.records;
    this.#parts = parts;
    this.#disposed = disposed;
  }

  async put(changes: ReadonlyMap<string, string | null>, signal: AbortSignal): Promise<void> {
    // A transaction with an unknown outcome may still be open: only a new claim, which ends it and reads again, knows more.
    if (this.#failure !== null) throw this.#failure;
    signal.throwIfAborted();
    const { request, partition, producer, putTimeoutMs } = this.#parts;
    const persistence = persistenceOf(putTimeoutMs, signal, request.source, partition, producer);
    try {
      await this.#verifyTopic(persistence);
      await producer.commit(
        [...changes].map(([key, value]) => ({ key, value })),
        persistence,
      );
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.connections[Symbol.asyncDispose]();
    this.#disposed();
  }

  /**
   * Requests name the topic, so a topic that was deleted and made again would take what is put without a word, and the next
   * start would find only that part of the state.
   */
  async #verifyTopic(persistence: Persistence): Promise<void> {
    const { partition, request, topicId } = this.#parts;
    const found = await partition.find(persistence);
    if (found?.topicId === topicId) return;
    throw new TransientError(
      `the checkpoint topic ${partition.topic} was deleted${found === null ? '' : ' and made again'}`,
      {
        code: 'CHECKPOINT_TOPIC_REPLACED',
        remedy:
          'The source starts again and looks at what is left; restore the topic or import an exported checkpoint.',
        source: request.source,
      },
    );
  }
}

function persistenceOf(
  timeoutMs: number,
  signal: AbortSignal,
  source: string | null,
  ...located: readonly { relocate(): void }[]
): Persistence {
  const relocate = () => {
    for (const part of located) part.relocate();
  };
  return { signal, source, deadlineMs: performance.now() + timeoutMs, relocate };
}
