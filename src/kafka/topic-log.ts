import type { Clock } from '../core/clock.ts';
import { FatalError, TransientError } from '../core/errors.ts';
import type { KafkaSettings } from '../core/settings.ts';
import { untilAborted } from '../core/until-aborted.ts';
import { CommittedRecords } from './committed-records.ts';
import { Connections } from './connections.ts';
import { kafkaError, kafkaErrorName } from './error-codes.ts';
import { decodeLogBatches, type LogRecord } from './log-batches.ts';
import { type FetchedPartition, fetch } from './protocol/fetch.ts';
import { retryTransient } from './retry-transient.ts';
import { TopicAdmin } from './topic-admin.ts';

const FETCH_BYTES = 1024 * 1024;
/** Enough for the batch of one record: a broker gives a whole batch, however large. */
const LOOK_BYTES = 64 * 1024;
const FETCH_WAIT_MS = 500;
/** Answers without a record in a row, half a second each, where there must be some. */
const PATIENT_LOOKS = 60;
const OFFSET_OUT_OF_RANGE = 1;

/** What a topic holds: committed records only. */
export interface TopicExtent {
  readonly partitions: readonly PartitionExtent[];
  /** False for a topic that is compacted and nothing else: what is gone from it was replaced by a newer record. */
  readonly forgets: boolean;
}

export interface PartitionExtent {
  readonly partition: number;
  /** First offset still in the log. */
  readonly start: number;
  /** Behind the last record that no open transaction can still take back. */
  readonly end: number;
}

/** Stretches of topics as they were written, without a consumer group: nothing is committed, nobody is told. */
export class TopicLog implements AsyncDisposable {
  readonly #connections: Connections;
  readonly #admin: TopicAdmin;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #leaders = new Map<string, number>();

  constructor(settings: KafkaSettings, clock: Clock) {
    this.#connections = new Connections(settings, 'tailrace-verify');
    this.#admin = new TopicAdmin(settings, this.#connections, clock, 'verify');
    this.#clock = clock;
    this.#timeoutMs = settings.deliveryTimeoutMs;
  }

  /** Null where there is no such topic. */
  async describe(topic: string, signal: AbortSignal): Promise<TopicExtent | null> {
    if ((await this.#admin.find(topic, signal)) === null) return null;
    const policy = await this.#admin.setting(topic, 'cleanup.policy', signal);
    const starts = (await this.#admin.offsets('start', [topic], signal)).get(topic) ?? [];
    const ends = await this.ends(topic, signal);
    return {
      partitions: ends.map((end, partition) => ({ partition, start: starts[partition] ?? 0, end })),
      // Whoever may not read the setting is told the worse.
      forgets: policy !== 'compact',
    };
  }

  /** Where the committed records of each partition end now. */
  async ends(topic: string, signal: AbortSignal): Promise<readonly number[]> {
    return (await this.#admin.offsets('committed', [topic], signal)).get(topic) ?? [];
  }

  /**
   * The committed records of a partition in `[from, to)`, an array for each answer of the broker.
   * @throws FatalError with code KAFKA_LOG_CUT where `from` is not in the log any more.
   */
  async *read(
    topic: string,
    partition: number,
    from: number,
    to: number,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[], void, void> {
    const committed = new CommittedRecords();
    const damaged = (offset: number, why: string) => damagedBatch(topic, partition, offset, why);
    let at = from;
    let empty = 0;
    let answer = at < to ? this.#fetch(topic, partition, at, FETCH_BYTES, signal) : null;
    try {
      while (answer !== null) {
        const { aborted, records } = await answer;
        answer = null;
        const batches = await decodeLogBatches(records, damaged);
        const next = batches.at(-1)?.nextOffset ?? at;
        empty = next > at ? 0 : empty + 1;
        if (empty > PATIENT_LOOKS) throw silentPartition(topic, partition, at, to);
        // The broker looks for what follows while this is being used.
        if (next < to) answer = this.#fetch(topic, partition, next, FETCH_BYTES, signal);
        const taken = committed.of(batches, aborted).filter(({ offset }) => offset >= at && offset < to);
        at = next;
        if (taken.length > 0) yield taken;
      }
    } finally {
      // Nobody waits for it when the reader has left early.
      answer?.catch(() => {});
    }
  }

  /** The record at an offset; null where it is not there (any more). */
  async recordAt(topic: string, partition: number, offset: number, signal: AbortSignal): Promise<LogRecord | null> {
    try {
      const { records } = await this.#fetch(topic, partition, offset, LOOK_BYTES, signal);
      const batches = await decodeLogBatches(records, (at, why) => damagedBatch(topic, partition, at, why));
      return batches.flatMap((batch) => batch.records).find((record) => record.offset === offset) ?? null;
    } catch (error) {
      if (error instanceof FatalError && error.code === LOG_CUT) return null;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]();
  }

  #fetch(topic: string, partition: number, offset: number, bytes: number, signal: AbortSignal) {
    return retryTransient(
      async (attempt) => {
        if (attempt > 0) this.#leaders.clear();
        return this.#fetchOnce(topic, partition, offset, bytes, signal);
      },
      this.#timeoutMs,
      this.#clock,
      signal,
    );
  }

  async #fetchOnce(
    topic: string,
    partition: number,
    offset: number,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<FetchedPartition> {
    const connection = await this.#connections.broker(await this.#leader(topic, partition, signal), 'data', signal);
    const request = { topic, partition, offset, maxBytes, maxWaitMs: FETCH_WAIT_MS, committedOnly: true };
    const answer = await untilAborted(connection.request(fetch, request), signal);
    const code = answer.errorCode === 0 ? (answer.partition?.errorCode ?? 0) : answer.errorCode;
    if (code === 0) return answer.partition ?? NOTHING;
    const doing = `reading offset ${offset} of ${topic}/${partition}`;
    if (code !== OFFSET_OUT_OF_RANGE) throw kafkaError(code, doing, null, null);
    throw new FatalError(`Kafka answered ${kafkaErrorName(code)} to ${doing}: the topic was cut off or made again`, {
      code: LOG_CUT,
      remedy: 'Start again; if this repeats, the retention of the topic is shorter than reading it takes.',
    });
  }

  async #leader(topic: string, partition: number, signal: AbortSignal): Promise<number> {
    const key = `${topic}/${partition}`;
    const known = this.#leaders.get(key);
    if (known !== undefined) return known;
    const found = await this.#admin.find(topic, signal);
    for (const { partition: index, leaderId } of found?.partitions ?? [])
      this.#leaders.set(`${topic}/${index}`, leaderId);
    return this.#leaders.get(key) ?? -1;
  }
}

/** Code of the error that says that records were deleted, or the topic, before they were read. */
export const LOG_CUT = 'KAFKA_LOG_CUT';

const NOTHING: FetchedPartition = {
  errorCode: 0,
  highWatermark: 0,
  logStartOffset: 0,
  aborted: [],
  records: Buffer.alloc(0),
};

function damagedBatch(topic: string, partition: number, offset: number, why: string): FatalError {
  return new FatalError(`the batch at offset ${offset} of ${topic}/${partition} is damaged: ${why}`, {
    code: 'KAFKA_BATCH_DAMAGED',
    remedy: 'Look at the disks of the broker and at what lies between it and here.',
  });
}

function silentPartition(topic: string, partition: number, at: number, to: number): TransientError {
  return new TransientError(
    `the broker gives no record of ${topic}/${partition} at offset ${at}, before its end ${to}`,
    {
      code: 'KAFKA_PARTITION_SILENT',
      remedy: 'Start again; if this repeats, look at the health of the broker that leads the partition.',
    },
  );
}
