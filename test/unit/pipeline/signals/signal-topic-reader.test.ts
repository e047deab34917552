import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigurationError, FatalError } from '../../../../src/core/errors.ts';
import type { SignalRecord, SignalText } from '../../../../src/core/signal.ts';
import type { SignalFault } from '../../../../src/pipeline/signals/parse-signal.ts';
import { SignalInbox } from '../../../../src/pipeline/signals/signal-inbox.ts';
import { SignalTopicReader } from '../../../../src/pipeline/signals/signal-topic-reader.ts';
import { recordingLogger } from '../../kafka/sink-fixture.ts';

/** What one opening of the topic gives: records from an offset on, or an error. */
type Opening = Error | { readonly end: number; readonly records: readonly (SignalRecord | Error)[] };

function record(offset: number, key: string | null, value: unknown): SignalRecord {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return { offset, key: key === null ? null : Buffer.from(key), value: Buffer.from(text) };
}

/** Runs the reader through the openings, then ends it. */
async function read(inbox: SignalInbox, openings: readonly Opening[]) {
  const ended = new AbortController();
  const from: (readonly number[] | null)[] = [];
  const received: (SignalText | SignalFault)[] = [];
  const warnings: string[] = [];
  const left = [...openings];
  const reader = new SignalTopicReader({
    topic: 'ops',
    key: 'shop',
    inbox,
    open: async (_topic, offsets) => {
      const opening = left.shift();
      from.push(offsets);
      if (opening instanceof Error) throw opening;
      if (opening === undefined) {
        ended.abort(new DOMException('over', 'AbortError'));
        throw ended.signal.reason;
      }
      let offset = offsets === null ? opening.end : (offsets[0] ?? 0);
      return {
        get offsets() {
          return [offset];
        },
        async *records() {
          for (const each of opening.records) {
            if (each instanceof Error) throw each;
            if (each.offset < offset) continue;
            offset = each.offset + 1;
            yield [each];
          }
          throw new FatalError('over', { code: 'OVER', remedy: 'None.' });
        },
        [Symbol.asyncDispose]: async () => {},
      };
    },
    received: (signals) => received.push(...signals),
    clock: { nowMs: () => 0, nowUs: () => 0, sleep: async () => {} },
    logger: recordingLogger(warnings),
  });
  await reader.run(ended.signal);
  return { from, received, warnings };
}

const MISSING = new ConfigurationError('no topic', { code: 'KAFKA_TOPIC_MISSING', remedy: 'Create it.' });
const REPLACED = new FatalError('cut off', { code: 'KAFKA_TOPIC_REPLACED', remedy: 'Start again.' });

test('the topic is read from its end at first, then from where it was left', async () => {
  const inbox = new SignalInbox(null, 'ops');
  const log = { type: 'log', data: { message: 'm' } };
  const { from, received } = await read(inbox, [
    {
      end: 5,
      records: [
        record(4, 'shop', log),
        record(5, 'shop', { id: 'a', ...log }),
        record(6, 'other', log),
        record(7, null, log),
      ],
    },
    { end: 9, records: [record(8, 'shop', { id: 'b', type: 'pause-snapshot' })] },
  ]);
  assert.deepEqual(from, [null, [8], [9]]);
  assert.deepEqual(received, [
    { id: 'a', type: 'log', data: '{"message":"m"}' },
    { id: 'b', type: 'pause-snapshot', data: '{}' },
  ]);
  assert.deepEqual(inbox.memory.topic, { topic: 'ops', offsets: [9] });
});

test('what is no signal is told without what is in it', async () => {
  const records = ['secret', '5', '{"data":{}}', `{"type":"log","data":"${'x'.repeat(70_000)}"}`].map((value, index) =>
    record(index, 'shop', value),
  );
  const tombstone = { offset: 9, key: Buffer.from('shop'), value: null };
  const stored = { waiting: [], topic: { topic: 'ops', offsets: [0] } };
  const { received } = await read(new SignalInbox(stored, 'ops'), [{ end: 0, records: [...records, tombstone] }]);
  assert.deepEqual(received, [
    { fault: 'its record is not JSON' },
    { fault: 'its record is not a JSON object' },
    { fault: 'its record has no type' },
    { fault: 'its record is longer than 65536 bytes' },
  ]);
});

test('a topic that appears later is new from its beginning, and the lack is said once', async () => {
  const { from, warnings } = await read(new SignalInbox(null, 'ops'), [MISSING, MISSING, { end: 3, records: [] }]);
  assert.deepEqual(from, [null, [], [], []]);
  assert.deepEqual(warnings, ['the signal topic cannot be read', 'the signal topic cannot be read']);
});

test('a topic that was cut off is read from the end that it has now', async () => {
  const stored = { waiting: [], topic: { topic: 'ops', offsets: [5] } };
  const { from } = await read(new SignalInbox(stored, 'ops'), [
    { end: 0, records: [REPLACED] },
    { end: 2, records: [] },
  ]);
  assert.deepEqual(from, [[5], null, [2]]);
});

test('what is stored of another topic says nothing', async () => {
  const stored = { waiting: [], topic: { topic: 'another', offsets: [5] } };
  const { from } = await read(new SignalInbox(stored, 'ops'), []);
  assert.deepEqual(from, [null]);
});
