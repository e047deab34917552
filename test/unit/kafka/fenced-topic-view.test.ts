import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TextBatch } from '../../../src/kafka/fenced-topic-batches.ts';
import { CommittedView } from '../../../src/kafka/fenced-topic-view.ts';

const OWNER = 7n;
const OTHER = 8n;

function data(producerId: bigint, records: Record<string, string | null>): TextBatch {
  const list = Object.entries(records).map(([key, value]) => ({ key, value }));
  return { nextOffset: 0, producerId, transactional: true, marker: null, records: list };
}

function marker(producerId: bigint, marker: 'commit' | 'abort'): TextBatch {
  return { nextOffset: 0, producerId, transactional: true, marker, records: [] };
}

function read(...log: TextBatch[]): Record<string, string> {
  const view = new CommittedView('');
  for (const batch of log) view.add(batch);
  return Object.fromEntries(view.records);
}

describe('committed view', () => {
  it('leaves out every aborted transaction of one producer, however they alternate with committed ones', () => {
    assert.deepEqual(
      read(
        data(OWNER, { A1: 'aborted', k: 'A1' }),
        marker(OWNER, 'abort'),
        data(OWNER, { C1: 'committed', k: 'C1' }),
        marker(OWNER, 'commit'),
        data(OWNER, { A2: 'aborted', k: 'A2' }),
        marker(OWNER, 'abort'),
        data(OWNER, { C2: 'committed', k: 'C2' }),
        marker(OWNER, 'commit'),
        data(OWNER, { A3: 'aborted', k: 'A3' }),
        marker(OWNER, 'abort'),
      ),
      { C1: 'committed', C2: 'committed', k: 'C2' },
    );
  });

  it('counts nothing of a transaction that is still open', () => {
    assert.deepEqual(
      read(
        data(OWNER, { k: 'old' }),
        marker(OWNER, 'commit'),
        data(OWNER, { k: 'new', l: 'new' }),
        data(OWNER, { m: 'new' }),
      ),
      { k: 'old' },
    );
  });

  it('keeps interleaved transactions of two producers apart', () => {
    assert.deepEqual(
      read(
        data(OWNER, { a: 'owner' }),
        data(OTHER, { b: 'other' }),
        marker(OTHER, 'abort'),
        data(OWNER, { c: 'owner' }),
        data(OTHER, { d: 'other' }),
        marker(OWNER, 'commit'),
        marker(OTHER, 'commit'),
      ),
      { a: 'owner', c: 'owner', d: 'other' },
    );
  });

  it('applies records in the order of their commits, not of their offsets', () => {
    assert.deepEqual(
      read(data(OWNER, { k: 'first' }), data(OTHER, { k: 'second' }), marker(OTHER, 'commit'), marker(OWNER, 'commit')),
      { k: 'first' },
    );
  });

  it('deletes by committed tombstones only', () => {
    assert.deepEqual(
      read(
        data(OWNER, { a: '1', b: '1' }),
        marker(OWNER, 'commit'),
        data(OWNER, { a: null }),
        marker(OWNER, 'abort'),
        data(OWNER, { b: null }),
        marker(OWNER, 'commit'),
      ),
      { a: '1' },
    );
  });

  it('does without data whose marker is all that compaction left', () => {
    assert.deepEqual(
      read(marker(OWNER, 'commit'), marker(OTHER, 'abort'), data(OWNER, { a: '1' }), marker(OWNER, 'commit')),
      {
        a: '1',
      },
    );
  });

  it('takes records that were written without a transaction at once', () => {
    assert.deepEqual(read({ ...data(-1n, { a: '1' }), transactional: false }), { a: '1' });
  });

  it('reads only keys with its prefix', () => {
    const view = new CommittedView('["shop",');
    view.add(data(OWNER, { '["shop","a"]': '1', '["shop2","a"]': '2' }));
    view.add(marker(OWNER, 'commit'));
    assert.deepEqual(Object.fromEntries(view.records), { '["shop","a"]': '1' });
  });
});
