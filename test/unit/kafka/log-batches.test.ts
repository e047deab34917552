import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { decodeLogBatches } from '../../../src/kafka/log-batches.ts';
import { saslAuthenticate } from '../../../src/kafka/protocol/sasl.ts';
import { MalformedResponseError, WireReader } from '../../../src/kafka/protocol/wire-reader.ts';

class Damage extends Error {}
const decode = (bytes: Buffer) => decodeLogBatches(bytes, (offset, why) => new Damage(`${offset}: ${why}`));

/** A batch with a checksum that fits, whatever is in it. */
function batchOf(attributes: number, body: Buffer): Buffer {
  const batch = Buffer.concat([Buffer.alloc(61), body]);
  batch.writeBigInt64BE(5n, 0);
  batch.writeInt32BE(batch.length - 12, 8);
  batch[16] = 2;
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(1, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

/** Length 6 (as 12), attributes, deltas of 0, key "k", value null, no header. */
const RECORD = Buffer.from([14, 0, 0, 0, 2, 0x6b, 1, 0]);

test('a batch that cannot be decompressed is damaged, though its checksum fits', async () => {
  const [batch] = await decode(batchOf(1, gzipSync(RECORD)));
  assert.equal(batch?.records[0]?.key?.toString(), 'k');
  for (const codec of [1, 2, 3, 4]) {
    await assert.rejects(decode(batchOf(codec, Buffer.from('neither of them'))), (error) => {
      assert.ok(error instanceof Damage);
      assert.match(error.message, /^5: it cannot be decompressed/);
      return true;
    });
  }
});

test('a record whose parts are longer than it says is damaged', async () => {
  const short = Buffer.concat([Buffer.from([6]), RECORD.subarray(1)]);
  await assert.rejects(decode(batchOf(0, short)), /5: /);
  const lying = Buffer.from([2, 0, 0, 0, 1, 1, 0]);
  await assert.rejects(decode(batchOf(0, lying)), /longer than it says/);
});

test('an offset that a number cannot hold exactly is no offset', () => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(2n ** 53n - 1n);
  assert.equal(new WireReader(bytes).safeInt64(), 2 ** 53 - 1);
  for (const value of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n]) {
    bytes.writeBigInt64BE(value);
    assert.throws(() => new WireReader(bytes).safeInt64(), MalformedResponseError);
  }
});

test('a session without an end is one that lasts as long as a number can say', () => {
  const lifetimeOf = (hex: string) =>
    saslAuthenticate.decode(new WireReader(Buffer.from(`00000001${hex}00`, 'hex')), 2).sessionLifetimeMs;
  assert.equal(lifetimeOf('7fffffffffffffff'), Number.MAX_SAFE_INTEGER);
  assert.equal(lifetimeOf('000000000000ea60'), 60_000);
  assert.equal(lifetimeOf('8000000000000000'), 0);
});
