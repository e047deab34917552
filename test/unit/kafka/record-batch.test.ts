import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { Compression } from '../../../src/core/settings.ts';
import type { OutgoingRecord, RecordHeader } from '../../../src/core/sink.ts';
import { Ticket } from '../../../src/core/ticket.ts';
import { BufferPool } from '../../../src/kafka/buffer-pool.ts';
import { createCompressor } from '../../../src/kafka/compression.ts';
import { loneRecordBytes, RecordBatch } from '../../../src/kafka/record-batch.ts';
import { anyText } from '../../support/any-text.ts';

/** An independent reader of record batches: kafkajs's, with its own CRC-32C. */
const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder.js');
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (
  decoder: unknown,
) => Promise<DecodedBatch>;
const javascriptCrc32C = require('kafkajs/src/protocol/recordBatch/crc32C/index.js') as (bytes: Buffer) => number;
const kafkajs = require('kafkajs');
const { compressionsAlgorithms } = await import('@platformatic/kafka');
kafkajs.CompressionCodecs[4] = () => ({ decompress: async (bytes: Buffer) => zstdDecompressSync(bytes) });
kafkajs.CompressionCodecs[1] = () => ({ decompress: async (bytes: Buffer) => gunzipSync(bytes) });
for (const [bits, name] of [
  [2, 'snappy'],
  [3, 'lz4'],
] as const) {
  kafkajs.CompressionCodecs[bits] = () => ({
    decompress: async (bytes: Buffer) => Buffer.from(compressionsAlgorithms[name].decompressSync(bytes)),
  });
}

interface DecodedBatch {
  readonly firstSequence: number;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly records: readonly {
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
    readonly timestamp: string;
    readonly offset: string;
  }[];
}

interface Plain {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
  readonly timestampMs: number;
}

function outgoing({ key, value, headers, timestampMs }: Plain): OutgoingRecord {
  const bytes = Buffer.concat([Buffer.from('xx'), key ?? Buffer.alloc(0), value ?? Buffer.alloc(0), Buffer.from('yy')]);
  const keyEnd = 2 + (key?.length ?? 0);
  return {
    bytes,
    keyStart: key === null ? -1 : 2,
    keyEnd: key === null ? -1 : keyEnd,
    valueStart: value === null ? -1 : keyEnd,
    valueEnd: value === null ? -1 : keyEnd + value.length,
    headers,
    timestampMs,
    partition: -1,
  };
}

async function seal(records: readonly Plain[], compression: Compression, pool = new BufferPool(1 << 16, 1 << 20)) {
  const batch = new RecordBatch(pool, 0, 0, 0);
  const ticket = new Ticket(() => {});
  for (const record of records) {
    const source = outgoing(record);
    batch.append(source, batch.bodyBytes(source), ticket);
    source.bytes.fill(0xee);
  }
  const ready = Promise.withResolvers<void>();
  batch.seal({ id: 4711n, epoch: 3 }, 0x7ffffffe, await createCompressor(compression), ready.resolve);
  if (batch.wire === null) await ready.promise;
  return { batch, wire: batch.wire! };
}

async function assertReadsBack(records: readonly Plain[], wire: Buffer): Promise<void> {
  assert.equal(wire.readUInt32BE(17), javascriptCrc32C(wire.subarray(21)) >>> 0, 'checksum');
  assert.equal(wire.readInt32BE(8), wire.length - 12, 'batch length');
  assert.equal(wire.readInt32BE(53), 0x7ffffffe, 'base sequence');
  assert.equal(wire.readInt32BE(23), records.length - 1, 'last offset delta');
  assert.equal(Number(wire.readBigInt64BE(27)), records[0]!.timestampMs, 'base timestamp');
  assert.equal(Number(wire.readBigInt64BE(35)), Math.max(...records.map((r) => r.timestampMs)), 'max timestamp');
  const decoded = await decodeBatch(new Decoder(Buffer.from(wire)));
  assert.equal(decoded.producerId, '4711');
  assert.equal(decoded.producerEpoch, 3);
  assert.equal(decoded.records.length, records.length);
  decoded.records.forEach((record, i) => {
    const expected = records[i]!;
    assert.equal(record.offset, String(i));
    assert.equal(Number(record.timestamp), expected.timestampMs);
    assert.deepEqual(record.key, expected.key === null ? null : Buffer.from(expected.key));
    assert.deepEqual(record.value, expected.value === null ? null : Buffer.from(expected.value));
    assert.deepEqual(
      Object.entries(record.headers).map(([name, value]) => [name, value]),
      expected.headers.map(({ name, value }) => [name, Buffer.from(value)]),
    );
  });
}

const NOW = Date.UTC(2026, 0, 2);
const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
/** kafkajs keeps headers in a plain object: names like `constructor` or `7` would be its fault. */
const headerName = anyText().map((name) => `h:${name}`);
const plainRecord: fc.Arbitrary<Plain> = fc.record({
  key: fc.option(bytes(40)),
  value: fc.option(fc.oneof(bytes(300), bytes(20_000))),
  headers: fc.uniqueArray(fc.record({ name: headerName, value: bytes(200) }), {
    maxLength: 3,
    selector: ({ name }) => name,
  }),
  timestampMs: fc.oneof(fc.integer({ min: NOW - 5_000, max: NOW + 5_000 }), fc.integer({ min: 0, max: NOW * 2 })),
});

for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
  test(`any records read back as they were appended (${compression})`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plainRecord, { minLength: 1, maxLength: 30 }), async (records) => {
        const { wire } = await seal(records, compression);
        await assertReadsBack(records, wire);
      }),
      { numRuns: 40 },
    );
  });
}

test('what shrinks is compressed, what does not is left as it is', async () => {
  const repetitive = { key: null, value: Buffer.alloc(50_000, 'abc'), headers: [], timestampMs: NOW };
  const small = await seal([repetitive], 'zstd');
  assert.equal(small.wire.readInt16BE(21), 4);
  assert.ok(small.wire.length < 1_000, `${small.wire.length}`);
  const random = { ...repetitive, value: crypto.getRandomValues(new Uint8Array(50_000)) };
  for (const compression of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const { wire, batch } = await seal([random], compression);
    assert.equal(wire.readInt16BE(21), 0, compression);
    assert.equal(wire.length, batch.accountedBytes, compression);
  }
});

test('the size of a record is known exactly before it is appended', async () => {
  await fc.assert(
    fc.asyncProperty(plainRecord, async (record) => {
      const { wire } = await seal([record], 'none');
      assert.equal(wire.length, 61 + loneRecordBytes(outgoing(record)));
    }),
  );
});

test('the record lengths around each varint width', async () => {
  for (const size of [0, 1, 57, 58, 59, 60, 61, 62, 63, 64, 8_180, 8_185, 8_192, 1_048_570, 1_048_580]) {
    const record = { key: null, value: Buffer.alloc(size, 7), headers: [], timestampMs: NOW };
    await assertReadsBack([record], (await seal([record], 'none')).wire);
  }
});

test('a batch holds each ticket once and counts keys and values', () => {
  const batch = new RecordBatch(new BufferPool(1 << 16, 1 << 20), 0, 0, 0);
  const record = outgoing({ key: Buffer.from('k'), value: Buffer.from('value'), headers: [], timestampMs: NOW });
  const tombstone = outgoing({ key: Buffer.from('k'), value: null, headers: [], timestampMs: NOW });
  let settled = 0;
  const tickets = [new Ticket(() => settled++), new Ticket(() => settled++)];
  for (const ticket of tickets) {
    for (const each of [record, tombstone, record]) batch.append(each, batch.bodyBytes(each), ticket);
    ticket.seal();
  }
  assert.deepEqual(batch.tickets, tickets);
  assert.equal(batch.payloadBytes, 2 * (6 + 1 + 6));
  assert.equal(settled, 0);
  for (const ticket of batch.tickets) ticket.release();
  assert.equal(settled, 2);
});

test('memory goes back to the pool, except that of an oversized record', async () => {
  const pool = new BufferPool(1 << 16, 1 << 20);
  const ordinary = { key: null, value: Buffer.alloc(1_000), headers: [], timestampMs: NOW };
  (await seal([ordinary], 'none', pool)).batch.recycle();
  const retained = pool.retainedBytes;
  assert.ok(retained > 0);
  (await seal([{ ...ordinary, value: Buffer.alloc(3_000_000) }], 'none', pool)).batch.recycle();
  assert.equal(pool.retainedBytes, retained);
});
