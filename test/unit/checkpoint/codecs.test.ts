import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/checkpoint/checkpoint-codec.ts';
import {
  decodeTopicProgress,
  encodeTopicProgress,
  topicProgressKey,
} from '../../../src/checkpoint/topic-progress-codec.ts';
import type { Checkpoint, TopicProgress } from '../../../src/core/checkpoint.ts';
import { FatalError } from '../../../src/core/errors.ts';

const CHECKPOINT: Checkpoint = {
  formatVersion: 1,
  source: 'shop',
  phase: 'streaming',
  serverIdentity: '7338473848734/1',
  position: '0000000016B37480',
  savedAtMs: 1_790_000_000_000,
};
const CHECKPOINT_TEXT =
  '{"formatVersion":1,"source":"shop","phase":"streaming","serverIdentity":"7338473848734/1",' +
  '"position":"0000000016B37480","savedAtMs":1790000000000}';

const PROGRESS: TopicProgress = { topic: 'shop.public.orders', topicId: 'a1b2', endOffsets: [12, null, 0] };
const PROGRESS_TEXT = '{"formatVersion":1,"topic":"shop.public.orders","topicId":"a1b2","endOffsets":[12,null,0]}';

describe('checkpoint codec', () => {
  it('has a text form that does not change', () => {
    assert.equal(encodeCheckpoint(CHECKPOINT), CHECKPOINT_TEXT);
    assert.deepEqual(decodeCheckpoint(CHECKPOINT_TEXT, 'shop'), CHECKPOINT);
    const initialising: Checkpoint = { ...CHECKPOINT, phase: 'initialising', position: null };
    assert.deepEqual(decodeCheckpoint(encodeCheckpoint(initialising), 'shop'), initialising);
  });

  it('refuses everything else, without quoting it', () => {
    const secret = 'position-that-must-not-be-logged';
    for (const change of [
      { source: 'other' },
      { source: 1 },
      { phase: 'paused' },
      { phase: undefined },
      { serverIdentity: null },
      { position: 7 },
      { position: null },
      { savedAtMs: -1 },
      { savedAtMs: 1.5 },
      { savedAtMs: '1790000000000' },
      { snapshot: secret },
    ]) {
      const text = JSON.stringify({ ...CHECKPOINT, ...change });
      assert.throws(
        () => decodeCheckpoint(text, 'shop'),
        (error) => error instanceof FatalError && error.code === 'STATE_DAMAGED' && !error.message.includes(secret),
        text,
      );
    }
    for (const text of ['', 'null', '[]', '"x"', CHECKPOINT_TEXT.slice(0, -1), `${CHECKPOINT_TEXT}x`]) {
      assert.throws(() => decodeCheckpoint(text, 'shop'), FatalError, text);
    }
  });

  it('says what to do about a format of another version', () => {
    for (const formatVersion of [0, 2, '1', undefined]) {
      assert.throws(() => decodeCheckpoint(JSON.stringify({ ...CHECKPOINT, formatVersion }), 'shop'), {
        code: 'STATE_FORMAT_UNKNOWN',
        remedy: /version of tailrace/,
      });
    }
  });
});

describe('topic progress codec', () => {
  it('has a text form that does not change', () => {
    assert.equal(topicProgressKey(PROGRESS.topic), 'topic/shop.public.orders');
    assert.equal(encodeTopicProgress(PROGRESS), PROGRESS_TEXT);
    assert.deepEqual(decodeTopicProgress(PROGRESS_TEXT, 'topic/shop.public.orders'), PROGRESS);
  });

  it('refuses everything else', () => {
    for (const change of [
      { topic: 'another' },
      { topicId: null },
      { endOffsets: [1.5] },
      { endOffsets: [-1] },
      { endOffsets: ['1'] },
      { endOffsets: 1 },
      { endOffsets: undefined },
      { extra: 1 },
      { formatVersion: 2 },
    ]) {
      const text = JSON.stringify({ ...PROGRESS, formatVersion: 1, ...change });
      assert.throws(() => decodeTopicProgress(text, 'topic/shop.public.orders'), FatalError, text);
    }
  });
});
