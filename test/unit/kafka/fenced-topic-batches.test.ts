import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  crc32c,
  createRecordsBatch,
  type MessageRecord,
  NumericMap,
  Reader,
  readRecordsBatches,
} from '@platformatic/kafka';
import fc from 'fast-check';
import { FatalError } from '../../../src/core/errors.ts';
import { decodeBatches, encodeBatch } from '../../../src/kafka/fenced-topic-batches.ts';
import { anyText } from '../../support/any-text.ts';

const PRODUCER = { producerId: 4_294_967_297n, producerEpoch: 513, sequence: 70_000, timestampMs: 1_790_000_000_123 };
const TEXT = anyText(300);

/** A batch as another client writes it. */
function foreignBatch(
  messages: Pick<MessageRecord, 'key' | 'value'>[],
  options: {
    compression?: 'gzip' | 'snappy' | 'lz4' | 'zstd';
    transactional?: boolean;
    offset?: bigint;
    control?: boolean;
  },
): Buffer {
  const writer = createRecordsBatch(
    messages.map((message) => ({ ...message, topic: 't', partition: 0, timestamp: 1_790_000_000_000n })),
    {
      compression: options.compression ?? 'none',
      ...(options.transactional ? { transactionalId: 'id' } : {}),
      producerId: 9n,
      producerEpoch: 1,
      sequences: new NumericMap(),
    },
  );
  const batch = Buffer.from(writer.buffer);
  batch.writeBigInt64BE(options.offset ?? 0n, 0);
  if (options.control) {
    batch.writeInt16BE(batch.readInt16BE(21) | 0x20, 21);
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  }
  return batch;
}

function message(key: string, value: string): { key: Buffer; value: Buffer } {
  return { key: Buffer.from(key), value: Buffer.from(value) };
}

function markerBatch(type: number, offset: bigint): Buffer {
  const key = Buffer.from([0, 0, 0, type]);
  return foreignBatch([{ key, value: Buffer.from([0, 0, 0, 0, 0, 1]) }], {
    transactional: true,
    control: true,
    offset,
  });
}

describe('batches of the fenced topic', () => {
  it('are what another client reads', () => {
    const records = fc.array(fc.record({ key: TEXT, value: fc.option(TEXT) }, { noNullPrototype: true }), {
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(records, (list) => {
        const bytes = encodeBatch(list, PRODUCER);
        assert.equal(bytes.readUInt32BE(17), crc32c(bytes.subarray(21)));
        const [batch, ...others] = readRecordsBatches(Reader.from(bytes));
        assert.equal(others.length, 0);
        assert.equal(batch?.producerId, PRODUCER.producerId);
        assert.equal(batch.producerEpoch, PRODUCER.producerEpoch);
        assert.equal(batch.firstSequence, PRODUCER.sequence);
        assert.equal(batch.lastOffsetDelta, list.length - 1);
        assert.equal(batch.maxTimestamp, BigInt(PRODUCER.timestampMs));
        assert.equal(batch.attributes, 0x10);
        const read = batch.records.map(({ key, value }) => ({
          key: key?.toString(),
          value: value?.toString() ?? null,
        }));
        assert.deepEqual(read, list);
        assert.deepEqual(
          batch.records.map(({ offsetDelta }) => offsetDelta),
          list.map((_, i) => i),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('are read as another client wrote them, in every compression', async () => {
    const text = 'value '.repeat(500);
    for (const compression of [undefined, 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const bytes = foreignBatch([message('a', text), message('ключ', '→')], {
        ...(compression === undefined ? {} : { compression }),
        transactional: true,
        offset: 41n,
      });
      assert.deepEqual(
        await decodeBatches(bytes, 't'),
        [
          {
            nextOffset: 43,
            producerId: 9n,
            transactional: true,
            marker: null,
            records: [
              { key: 'a', value: text },
              { key: 'ключ', value: '→' },
            ],
          },
        ],
        compression,
      );
    }
  });

  it('tell markers from data', async () => {
    const log = Buffer.concat([
      foreignBatch([message('a', '1')], { transactional: true, offset: 0n }),
      markerBatch(0, 1n),
      foreignBatch([message('b', '1')], { offset: 2n }),
      markerBatch(1, 3n),
    ]);
    const batches = await decodeBatches(log, 't');
    assert.deepEqual(
      batches.map(({ nextOffset, transactional, marker, records }) => [
        nextOffset,
        transactional,
        marker,
        records.length,
      ]),
      [
        [1, true, null, 1],
        [2, true, 'abort', 0],
        [3, false, null, 1],
        [4, true, 'commit', 0],
      ],
    );
  });

  it('are left out where the answer cut them off', async () => {
    const first = foreignBatch([message('a', '1')], { offset: 0n });
    const second = foreignBatch([message('b', '1')], { offset: 1n });
    const log = Buffer.concat([first, second]);
    for (let length = first.length; length < log.length; length += 1) {
      assert.equal((await decodeBatches(log.subarray(0, length), 't')).length, 1);
    }
  });

  it('are refused with one wrong bit, not believed', async () => {
    const bytes = encodeBatch([{ key: '["shop","checkpoint"]', value: '{"position":"0/1"}' }], PRODUCER);
    for (let at = 16; at < bytes.length; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1;
      await assert.rejects(decodeBatches(flipped, 't'), FatalError, `byte ${at}`);
    }
  });
});
