import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartitionQueue } from '../../../src/kafka/partition-queue.ts';
import type { RecordBatch } from '../../../src/kafka/record-batch.ts';

const NOT_LEADER = 6;

/** Only what the queue looks at. */
function sealed(index: number): RecordBatch {
  return { index, wire: Buffer.alloc(1) } as unknown as RecordBatch;
}

/** A queue of a producer that the broker knows: its first batch is acknowledged. */
function queueOf(...batches: RecordBatch[]): PartitionQueue {
  const first = sealed(-1);
  const queue = newQueueOf(first);
  send(queue);
  queue.acknowledged(first);
  for (const batch of batches) queue.enqueue(batch);
  return queue;
}

function newQueueOf(...batches: RecordBatch[]): PartitionQueue {
  const queue = new PartitionQueue('t', 0);
  queue.leaderId = 1;
  for (const batch of batches) queue.enqueue(batch);
  return queue;
}

function send(queue: PartitionQueue, nowMs = 0): RecordBatch {
  const batch = queue.peekSendable(nowMs);
  assert.ok(batch, 'something can be sent');
  queue.sent();
  return batch;
}

test('sequence numbers go on at 0 after 2^31 - 1', () => {
  const queue = new PartitionQueue('t', 0, undefined, 0x7ffffff0);
  assert.equal(queue.takeSequence(10), 0x7ffffff0);
  assert.equal(queue.takeSequence(10), 0x7ffffffa);
  assert.equal(queue.takeSequence(3), 4);
  const edge = new PartitionQueue('t', 0, undefined, 0x7fffffff);
  assert.equal(edge.takeSequence(1), 0x7fffffff);
  assert.equal(edge.takeSequence(1), 0);
});

test('nothing follows the first batch before it is acknowledged: the broker would take any sequence', () => {
  const [a, b, c] = [sealed(0), sealed(1), sealed(2)];
  const queue = newQueueOf(a, b, c);
  assert.equal(send(queue), a);
  assert.equal(queue.peekSendable(0), null);
  queue.failed(a, NOT_LEADER, 0, true);
  assert.equal(send(queue), a);
  assert.equal(queue.peekSendable(0), null);
  queue.acknowledged(a);
  assert.equal(send(queue), b);
  assert.equal(send(queue), c);
});

test('several batches may be in flight, in order', () => {
  const [a, b] = [sealed(0), sealed(1)];
  const queue = queueOf(a, b);
  assert.equal(send(queue), a);
  assert.equal(send(queue), b);
  assert.equal(queue.peekSendable(0), null);
  assert.equal(queue.oldest, a);
  queue.acknowledged(a);
  assert.equal(queue.oldest, b);
  queue.acknowledged(b);
  assert.ok(queue.isEmpty);
});

test('after a failure nothing is sent until the others in flight are answered, then one at a time in order', () => {
  const [a, b, c, d, e] = [0, 1, 2, 3, 4].map(sealed) as [
    RecordBatch,
    RecordBatch,
    RecordBatch,
    RecordBatch,
    RecordBatch,
  ];
  const queue = queueOf(a, b, c, d, e);
  for (let i = 0; i < 4; i++) send(queue);
  queue.failed(b, NOT_LEADER, 0, false);
  assert.equal(queue.peekSendable(1e9), null, 'a, c and d are unanswered');
  assert.ok(queue.isBehindUnresolved(c));
  assert.ok(queue.isBehindUnresolved(b), 'a is unresolved');
  queue.failed(d, 45, 0, false);
  queue.acknowledged(a);
  assert.ok(!queue.isBehindUnresolved(b), 'b is the first that is missing');
  queue.failed(c, 45, 0, false);
  assert.equal(queue.peekSendable(0), null, 'backs off');
  const later = queue.retryAtMs;
  assert.ok(later > 0);
  for (const expected of [b, c, d]) {
    assert.equal(send(queue, later), expected);
    assert.equal(queue.peekSendable(later), null, 'one at a time');
    assert.ok(!queue.isBehindUnresolved(expected));
    queue.acknowledged(expected);
  }
  assert.ok(!queue.isRecovering);
  assert.equal(send(queue, later), e);
});

test('a failure while recovering begins again with the same batch', () => {
  const [a, b] = [sealed(0), sealed(1)];
  const queue = queueOf(a, b);
  send(queue);
  send(queue);
  queue.failed(a, NOT_LEADER, 0, true);
  queue.failed(b, NOT_LEADER, 0, true);
  assert.equal(queue.retryAtMs, 0, 'the answer said where to go: no pause');
  assert.equal(send(queue), a);
  queue.failed(a, NOT_LEADER, 0, false);
  const first = queue.retryAtMs;
  assert.equal(send(queue, first), a);
  queue.failed(a, NOT_LEADER, first, false);
  assert.ok(queue.retryAtMs > first);
  assert.equal(send(queue, queue.retryAtMs), a);
  queue.acknowledged(a);
  assert.equal(send(queue, queue.retryAtMs), b);
});

test('the new leader gets nothing while the old one has not answered', () => {
  const [a, b] = [sealed(0), sealed(1)];
  const queue = queueOf(a, b);
  send(queue);
  queue.leaderId = 2;
  assert.equal(queue.peekSendable(0), null);
  queue.acknowledged(a);
  assert.equal(send(queue), b);
});

test('a batch that is still being compressed holds back those behind it', () => {
  const [a, b] = [sealed(0), sealed(1)];
  const wire = a.wire;
  a.wire = null;
  const queue = queueOf(a, b);
  assert.equal(queue.peekSendable(0), null);
  a.wire = wire;
  assert.equal(send(queue), a);
});

test('what waits is told to the sink, over failures and a drain', () => {
  const waiting = { bytes: 0 };
  const [a, b] = [0, 1].map((index) => Object.assign(sealed(index), { accountedBytes: 10 ** index })) as [
    RecordBatch,
    RecordBatch,
  ];
  const queue = new PartitionQueue('t', 0, waiting);
  queue.leaderId = 1;
  queue.enqueue(a);
  queue.enqueue(b);
  assert.equal(waiting.bytes, 11);
  send(queue);
  assert.equal(waiting.bytes, 10);
  queue.failed(a, NOT_LEADER, 0, true);
  assert.equal(waiting.bytes, 11);
  send(queue);
  queue.acknowledged(a);
  assert.equal(waiting.bytes, 10);
  queue.drain();
  assert.equal(waiting.bytes, 0);
});
