import { OwnershipLostError, TransientError } from '../core/errors.ts';
import { untilAborted } from '../core/until-aborted.ts';
import type { BrokerConnection } from './broker-connection.ts';
import type { Connections } from './connections.ts';
import { KafkaCode, kafkaErrorKind } from './error-codes.ts';
import { encodeBatch, RECORD_OVERHEAD_BYTES, type TextRecord } from './fenced-topic-batches.ts';
import type { TopicPartition } from './fenced-topic-partition.ts';
import { BrokerAnswerError, type Persistence, persistently } from './fenced-topic-retry.ts';
import { addPartitionsToTxn } from './protocol/add-partitions-to-txn.ts';
import { endTxn } from './protocol/end-txn.ts';
import { findCoordinator } from './protocol/find-coordinator.ts';
import { initProducerId } from './protocol/init-producer-id.ts';
import { produce } from './protocol/produce.ts';

/**
 * Longer than one put may take (`putTimeoutMs`), so that the broker never ends one of a living owner, and
 * short enough that one of a dead owner does not stay open for long. A newer owner ends it at once anyway.
 */
const TRANSACTION_TIMEOUT_MS = 60_000;
/** Well below the least `max.message.bytes` that a topic would be given. */
const BATCH_BYTES = 512 * 1024;
const REPLICAS_TIMEOUT_MS = 15_000;

/**
 * The producer behind one claim. It keeps to the first version of Kafka's transaction protocol, in which the epoch changes
 * only with an owner and every step may be repeated after a lost answer: the same partition is added again, the same
 * sequence numbers are recognised as a duplicate, the same commit is answered again.
 */
export class FencedProducer {
  readonly #connections: Connections;
  readonly #partition: TopicPartition;
  readonly #transactionalId: string;
  readonly #source: string;
  #coordinatorId = -1;
  #producerId = -1n;
  #producerEpoch = -1;
  #sequence = 0;

  constructor(connections: Connections, partition: TopicPartition, transactionalId: string, source: string) {
    this.#connections = connections;
    this.#partition = partition;
    this.#transactionalId = transactionalId;
    this.#source = source;
  }

  relocate(): void {
    this.#coordinatorId = -1;
  }

  /**
   * Takes the transactional id over. When it resolves, no transaction of an older owner is open, and none will ever be.
   */
  async initialise(persistence: Persistence): Promise<void> {
    const request = { transactionalId: this.#transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS };
    const answer = await persistently(persistence, async () => {
      const coordinator = await this.#coordinator(persistence.signal);
      const response = await untilAborted(coordinator.request(initProducerId, request), persistence.signal);
      this.#check(response.errorCode, 'taking over');
      return response;
    });
    this.#producerId = answer.producerId;
    this.#producerEpoch = answer.producerEpoch;
    this.#sequence = 0;
  }

  /** Writes all records in one transaction. @throws OwnershipLostError where a newer owner exists. */
  async commit(records: readonly TextRecord[], persistence: Persistence): Promise<void> {
    await this.#addPartition(persistence);
    for (const chunk of chunks(records)) await this.#append(chunk, persistence);
    await this.#end(persistence);
  }

  #addPartition(persistence: Persistence): Promise<void> {
    return persistently(persistence, async () => {
      const coordinator = await this.#coordinator(persistence.signal);
      const request = { ...this.#identity(), topic: this.#partition.topic, partition: 0 };
      const { errorCode } = await untilAborted(coordinator.request(addPartitionsToTxn, request), persistence.signal);
      this.#check(errorCode, 'beginning a transaction for');
    });
  }

  async #append(records: readonly TextRecord[], persistence: Persistence): Promise<void> {
    const { topic } = this.#partition;
    const { producerId, producerEpoch } = this.#identity();
    const stamp = { producerId, producerEpoch, sequence: this.#sequence, timestampMs: Date.now() };
    const partitions = [{ partition: 0, records: encodeBatch(records, stamp) }];
    await persistently(persistence, async () => {
      const leader = await this.#partition.leader(persistence.signal);
      const request = {
        transactionalId: this.#transactionalId,
        timeoutMs: REPLICAS_TIMEOUT_MS,
        topics: [{ name: topic, partitions }],
      };
      const answer = await untilAborted(leader.request(produce, request), persistence.signal);
      const result = answer.partitions.find((partition) => partition.topic === topic && partition.partition === 0);
      if (result === undefined) throw noAnswer(topic);
      if (result.errorCode !== KafkaCode.duplicateSequenceNumber) this.#check(result.errorCode, 'writing to');
    });
    this.#sequence += records.length;
  }

  #end(persistence: Persistence): Promise<void> {
    return persistently(persistence, async () => {
      const coordinator = await this.#coordinator(persistence.signal);
      const request = { ...this.#identity(), commit: true };
      const { errorCode } = await untilAborted(coordinator.request(endTxn, request), persistence.signal);
      this.#check(errorCode, 'committing to');
    });
  }

  async #coordinator(signal: AbortSignal): Promise<BrokerConnection> {
    if (this.#coordinatorId < 0) {
      const connection = await this.#connections.any(signal);
      const request = { transactionalId: this.#transactionalId };
      const answer = await untilAborted(connection.request(findCoordinator, request), signal);
      this.#check(answer.errorCode, 'looking for the transaction coordinator of');
      this.#connections.learn([answer]);
      this.#coordinatorId = answer.nodeId;
    }
    return this.#connections.broker(this.#coordinatorId, 'control', signal);
  }

  #identity(): { transactionalId: string; producerId: bigint; producerEpoch: number } {
    return {
      transactionalId: this.#transactionalId,
      producerId: this.#producerId,
      producerEpoch: this.#producerEpoch,
    };
  }

  #check(code: number, doing: string): void {
    if (code === 0) return;
    if (kafkaErrorKind(code) === 'fenced') throw fenced(this.#source, this.#transactionalId);
    throw new BrokerAnswerError(
      code,
      `${doing} the checkpoint topic ${this.#partition.topic} (transactional id ${this.#transactionalId})`,
    );
  }
}

/** Cuts records into batches that a topic takes; a record that is larger than that stands alone. */
function* chunks(records: readonly TextRecord[]): Generator<TextRecord[]> {
  let chunk: TextRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = Buffer.byteLength(record.key) + Buffer.byteLength(record.value ?? '') + RECORD_OVERHEAD_BYTES;
    if (chunk.length > 0 && bytes + size > BATCH_BYTES) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(record);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function fenced(source: string, transactionalId: string): OwnershipLostError {
  return new OwnershipLostError(
    `A newer daemon took over source ${source}: the broker no longer accepts this one (transactional id ${transactionalId})`,
    {
      code: 'CHECKPOINT_FENCED',
      remedy:
        'Nothing, if that was meant: the newer one goes on from the last checkpoint. Else stop it and restart this one. ' +
        'If there is no other daemon, this process stood still for longer than a minute in the middle of a save.',
      source,
    },
  );
}

function noAnswer(topic: string): TransientError {
  return new TransientError(`a broker did not say whether it wrote to the checkpoint topic ${topic}`, {
    code: 'CHECKPOINT_TOPIC_NO_ANSWER',
    remedy: 'It is asked again by itself.',
  });
}
