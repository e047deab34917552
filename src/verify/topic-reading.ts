import { TransientError } from '../core/errors.ts';
import type { RecordStates } from './record-states.ts';
import type { TopicExtent, TopicSource } from './topic-source.ts';
import type { TopicState } from './topic-state.ts';

/** Reads a topic once, from its start to whatever end it has by now, partition after partition. */
export class TopicReading {
  readonly #source: TopicSource;
  readonly #topic: string;
  readonly #states: RecordStates;
  /** Next offset to be read of each partition; empty while there is no such topic. */
  readonly #at: number[] = [];
  /** Offsets that were read. */
  read = 0;

  constructor(source: TopicSource, topic: string, extent: TopicExtent | null, states: RecordStates) {
    this.#source = source;
    this.#topic = topic;
    this.#states = states;
    for (const { partition, start } of extent?.partitions ?? []) this.#at[partition] = start;
  }

  /** Reads what was committed to the topic until this call; `visit` gets each state in the order of its partition. */
  async readOn(
    visit: (state: TopicState) => void,
    onProgress: (read: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const ends = await this.#source.ends(this.#topic, signal);
    for (const [partition, end] of ends.entries()) {
      // Partitions that were added, and a topic that was made, since: from their beginning.
      const from = this.#at[partition] ?? 0;
      if (end < from) throw replacedError(this.#topic, partition);
      let last = from;
      for await (const records of this.#source.read(this.#topic, partition, from, end, signal)) {
        await this.#states.prepare(records);
        for (const record of records) this.#states.take(record, partition, visit);
        const reached = records.at(-1)!.offset + 1;
        this.read += reached - last;
        last = reached;
        onProgress(this.read);
      }
      this.#at[partition] = Math.max(from, end);
    }
  }
}

function replacedError(topic: string, partition: number): TransientError {
  return new TransientError(`partition ${partition} of ${topic} ends before what was read of it: it was made again`, {
    code: 'VERIFY_TOPIC_REPLACED',
    remedy: 'Verify again; if nobody made the topic again, look at the brokers: records were lost.',
  });
}
