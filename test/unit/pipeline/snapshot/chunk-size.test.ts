import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChunkSize } from '../../../../src/pipeline/snapshot/chunk-size.ts';

/** Rounds of a table that takes `microsPerRow` for each row. @returns rows of the last chunk. */
function settle(size: ChunkSize, microsPerRow: number, readers = 1): number {
  for (let round = 0; round < 40; round++) {
    const { rows } = size.limits;
    size.took((rows * readers * microsPerRow) / 1000, rows * readers, readers);
  }
  return size.limits.rows;
}

test('chunks grow until one takes the target time, and shrink where rows get slower', () => {
  const size = new ChunkSize(1_000_000);
  assert.equal(settle(size, 5), 50_000);
  assert.equal(settle(size, 500), 500);
  assert.equal(settle(size, 1_000_000), 100, 'no fewer than a hundred');
});

test('the operator sets the most rows', () => {
  assert.equal(settle(new ChunkSize(3_000), 1), 3_000);
  assert.equal(new ChunkSize(150).limits.rows, 150);
});

test('readers share the time', () => {
  assert.equal(settle(new ChunkSize(1_000_000), 5, 2), 25_000);
});

test('a chunk that ends early says nothing about the time of a full one', () => {
  const size = new ChunkSize(1_000_000);
  const { rows } = size.limits;
  size.took(1, 3, 1);
  assert.equal(size.limits.rows, rows);
});
