import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { RecordStates } from '../../../src/verify/record-states.ts';
import { StaleTopicKeys } from '../../../src/verify/stale-topic-keys.ts';
import type { TopicRecord, TopicSource } from '../../../src/verify/topic-source.ts';
import { StateKind, TopicState } from '../../../src/verify/topic-state.ts';

const never = new AbortController().signal;

interface Said {
  readonly key: number;
  readonly isDeleted: boolean;
}

/** A topic of one partition for each key modulo the partitions. */
class Topic {
  readonly partitions: TopicRecord[][];

  constructor(partitions: number) {
    this.partitions = Array.from({ length: partitions }, () => []);
  }

  say({ key, isDeleted }: Said): void {
    const partition = this.partitions[key % this.partitions.length]!;
    const record = { key: Buffer.of(key), value: isDeleted ? null : Buffer.of(key), headers: null, timestampMs: 0 };
    partition.push({ offset: partition.length, ...record });
  }

  get ends(): number[] {
    return this.partitions.map(({ length }) => length);
  }

  get source(): TopicSource {
    return {
      describe: async () => ({
        partitions: this.ends.map((end, partition) => ({ partition, start: 0, end })),
        forgets: false,
      }),
      ends: async () => this.ends,
      read: (_topic, partition, from, to) => this.#read(partition, from, to),
      recordAt: async (_topic, partition, offset) => this.partitions[partition]![offset] ?? null,
      unavailableColumns: () => [],
    };
  }

  async *#read(partition: number, from: number, to: number): AsyncGenerator<readonly TopicRecord[], void, void> {
    const records = this.partitions[partition]!.slice(from, to);
    if (records.length > 0) yield records;
  }
}

/** Hashes that are the keys. */
const states = {
  prepare: async () => {},
  take({ key, value, offset }: TopicRecord, partition: number, emit: (state: TopicState) => void) {
    const state = new TopicState();
    state.key[0] = key![0]!;
    state.kind = value === null ? StateKind.deleted : StateKind.row;
    state.partition = partition;
    state.offset = offset;
    emit(state);
  },
} as unknown as RecordStates;

const said = fc.record({ key: fc.integer({ min: 0, max: 30 }), isDeleted: fc.boolean() });

it('keys that had a row before and were not told of since are stale, also where they are told of meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(said, { maxLength: 60 }),
      fc.array(said, { maxLength: 10 }),
      fc.array(said, { maxLength: 10 }),
      async (partitions, before, since, meanwhile) => {
        const topic = new Topic(partitions);
        for (const each of before) topic.say(each);
        const ends = topic.ends;
        for (const each of since) topic.say(each);
        const rows = new Map(before.map(({ key, isDeleted }) => [key, isDeleted]));
        const expected = new Set([...rows].filter(([, isDeleted]) => !isDeleted).map(([key]) => key));
        for (const { key } of since) expected.delete(key);
        const parts = { topics: topic.source, topic: 't', since: ends, states };
        await using stale = await StaleTopicKeys.find(parts, never);
        const left = [...meanwhile];
        const found: number[] = [];
        while (await stale.prepare(3, never)) {
          const next = left.shift();
          if (next !== undefined) {
            topic.say(next);
            if (!found.includes(next.key)) expected.delete(next.key);
          }
          for (const key of await stale.take(never)) found.push(key[0]!);
        }
        assert.equal(new Set(found).size, found.length, 'each once');
        assert.deepEqual(
          found.sort((a, b) => a - b),
          [...expected].sort((a, b) => a - b),
        );
      },
    ),
    { numRuns: 300 },
  );
});
