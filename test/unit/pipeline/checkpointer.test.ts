import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TopicProgress } from '../../../src/core/checkpoint.ts';
import type { PositionCodec } from '../../../src/core/connector.ts';
import type { Sink } from '../../../src/core/sink.ts';
import type { SourceMemory } from '../../../src/core/source-memory.ts';
import { Checkpointer } from '../../../src/pipeline/checkpointer.ts';

const never = new AbortController().signal;

const numbers: PositionCodec<number> = { encode: String, decode: Number, sortKey: (n) => String(n).padStart(8, '0') };

interface Save {
  readonly position: string | null;
  readonly topics: readonly TopicProgress[];
}

function stage() {
  const saves: Save[] = [];
  const acknowledged: number[] = [];
  const pending: TopicProgress[] = [];
  const failures: Error[] = [];
  const memory = {
    checkpoint: null,
    save: async (checkpoint: { position: string | null }, _from: string | null, topics: readonly TopicProgress[]) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      saves.push({ position: checkpoint.position, topics });
    },
  } as unknown as SourceMemory;
  const sink = { takeProgress: () => pending.splice(0) } as unknown as Sink;
  const now = { ms: 1000, settled: true };
  const clock = { nowMs: () => now.ms, nowUs: () => now.ms * 1000, sleep: async () => {} };
  const checkpointer = new Checkpointer<number>({
    source: 'shop',
    serverIdentity: '1:1',
    memory,
    sink,
    positions: numbers,
    acknowledge: (position) => acknowledged.push(position),
    isSettled: () => now.settled,
    clock,
  });
  return { checkpointer, saves, acknowledged, pending, failures, now };
}

function progress(topic: string, ...endOffsets: (number | null)[]): TopicProgress {
  return { topic, topicId: `id of ${topic}`, endOffsets };
}

test('the source is acknowledged only what was saved', async () => {
  const { checkpointer, acknowledged, failures } = stage();
  checkpointer.reached(7);
  failures.push(new Error('the broker is away'));
  await assert.rejects(checkpointer.save(never), /broker is away/);
  assert.deepEqual(acknowledged, []);
  assert.equal(checkpointer.savedPosition, null);
  await checkpointer.save(never);
  assert.deepEqual(acknowledged, [7]);
});

test('how far the topics came is in the next save when one fails', async () => {
  const { checkpointer, saves, pending, failures } = stage();
  checkpointer.reached(1);
  pending.push(progress('orders', 10, null), progress('items', 4));
  failures.push(new Error('the broker is away'));
  await assert.rejects(checkpointer.save(never));
  pending.push(progress('orders', 12, 3));
  checkpointer.reached(2);
  await checkpointer.save(never);
  assert.deepEqual(
    saves.map(({ position, topics }) => ({
      position,
      topics: [...topics].sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    })),
    [{ position: '2', topics: [progress('items', 4), progress('orders', 12, 3)] }],
  );
  checkpointer.reached(3);
  await checkpointer.save(never);
  assert.deepEqual(saves[1]?.topics, []);
});

test('a position that is saved already is not saved again', async () => {
  const { checkpointer, saves } = stage();
  checkpointer.reached(5);
  await checkpointer.save(never);
  await checkpointer.save(never);
  assert.equal(saves.length, 1);
});

test('a checkpoint is current while everything that was read is acknowledged, and ages while something is not', async () => {
  const { checkpointer, now } = stage();
  checkpointer.reached(7);
  await checkpointer.save(never);
  now.ms = 5_000;
  await checkpointer.save(never);
  assert.equal(checkpointer.savedAtMs, 5_000, 'nothing new was read');
  now.settled = false;
  now.ms = 90_000;
  await checkpointer.save(never);
  assert.equal(checkpointer.savedAtMs, 5_000, 'Kafka acknowledges nothing');
  checkpointer.reached(8);
  await checkpointer.save(never);
  assert.equal(checkpointer.savedAtMs, 90_000);
});

test('whoever told how far a snapshot is learns of the save that holds it, and not of one that fails', async () => {
  const { checkpointer, failures } = stage();
  const memory = { formatVersion: 1, covered: [], running: null } as const;
  const saved: string[] = [];
  checkpointer.reached(1);
  checkpointer.snapshotReached(memory, () => saved.push('first'));
  failures.push(new Error('the broker is away'));
  await assert.rejects(checkpointer.save(never));
  assert.equal(saved.length, 0);
  const saving = checkpointer.save(never);
  checkpointer.snapshotReached({ ...memory }, () => saved.push('second'));
  await saving;
  assert.equal(saved.join(), 'first');
  await checkpointer.save(never);
  assert.equal(saved.join(), 'first,second');
});
