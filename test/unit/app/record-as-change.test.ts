import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordAsChange } from '../../../src/app/record-as-change.ts';

const record = { topic: 'shop.public.orders', timestampMs: 42, key: { id: 1 } };

test('an envelope is a change of its table, at the time of its commit', () => {
  const source = { schema: 'public', table: 'orders', db: 'shop', ts_ms: 1_700_000_000_000n };
  const value = { before: null, after: { id: 1 }, source, op: 'c', ts_ms: 1_700_000_000_500n };
  assert.deepEqual(recordAsChange({ ...record, value }), {
    isTableChange: true,
    atMs: 1_700_000_000_000,
    op: 'c',
    table: 'public.orders',
    key: { id: 1 },
    before: null,
    after: { id: 1 },
  });
});

test('a database without schemas gives its own name', () => {
  const value = { before: { id: 1 }, after: null, source: { db: 'shop', table: 'orders', ts_ms: 1n }, op: 'd' };
  assert.equal(recordAsChange({ ...record, value }).table, 'shop.orders');
});

test('a time beyond the calendar is not shown as one', () => {
  const source = { schema: 's', table: 't', ts_ms: 9_223_372_036_854_775_807n };
  assert.equal(recordAsChange({ ...record, value: { before: null, after: {}, source, op: 'c' } }).atMs, 42);
});

test('a logical message has its content as text, or as bytes where it is none', () => {
  const message = (content: Buffer) => ({ op: 'm', source: { ts_ms: 7n }, message: { prefix: 'p', content } });
  const text = recordAsChange({ ...record, value: message(Buffer.from('grüße')) });
  assert.deepEqual(
    [text.op, text.table, text.atMs, text.after],
    ['m', 'message', 7, { prefix: 'p', content: 'grüße' }],
  );
  const bytes = recordAsChange({ ...record, value: message(Buffer.of(0xff, 0x00)) });
  assert.deepEqual(bytes.after, { prefix: 'p', content: Buffer.of(0xff, 0x00) });
});

test('anything else is shown whole under the name of the topic', () => {
  const heartbeat = recordAsChange({ topic: 'hb', timestampMs: 5, key: { serverName: 's' }, value: { ts_ms: 1n } });
  assert.deepEqual(heartbeat, {
    isTableChange: false,
    atMs: 5,
    op: 'm',
    table: 'hb',
    key: { serverName: 's' },
    before: null,
    after: { ts_ms: 1n },
  });
  const text = recordAsChange({ topic: 'other', timestampMs: 5, key: 'k', value: 'v' });
  assert.deepEqual([text.key, text.after], [{ key: 'k' }, { value: 'v' }]);
});
