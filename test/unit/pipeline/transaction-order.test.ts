import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TransactionCounter } from '../../../src/pipeline/transaction-order.ts';

test('counts events of a transaction in all and by table, from 1, anew for each transaction', () => {
  const counter = new TransactionCounter();
  counter.begin({ id: '1585:100', commitTimeUs: 1 });
  assert.deepEqual({ ...counter.next('inv.a') }, { id: '1585:100', totalOrder: 1, dataCollectionOrder: 1 });
  assert.deepEqual({ ...counter.next('inv.b') }, { id: '1585:100', totalOrder: 2, dataCollectionOrder: 1 });
  assert.deepEqual({ ...counter.next('inv.a') }, { id: '1585:100', totalOrder: 3, dataCollectionOrder: 2 });
  assert.equal(counter.eventCount, 3);
  assert.deepEqual(counter.collections(), [
    { dataCollection: 'inv.a', eventCount: 2 },
    { dataCollection: 'inv.b', eventCount: 1 },
  ]);
  counter.end();
  assert.equal(counter.current, null);
  counter.begin({ id: '1586:200', commitTimeUs: 2 });
  assert.deepEqual({ ...counter.next('inv.a') }, { id: '1586:200', totalOrder: 1, dataCollectionOrder: 1 });
});
