import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { decodeLogBatches, type LogBatch } from '../../src/kafka/log-batches.ts';
import { addPartitionsToTxn } from '../../src/kafka/protocol/add-partitions-to-txn.ts';
import type { Api } from '../../src/kafka/protocol/api.ts';
import { apiVersions } from '../../src/kafka/protocol/api-versions.ts';
import { createTopics } from '../../src/kafka/protocol/create-topics.ts';
import { describeConfigs } from '../../src/kafka/protocol/describe-configs.ts';
import { endTxn } from '../../src/kafka/protocol/end-txn.ts';
import { fetch } from '../../src/kafka/protocol/fetch.ts';
import { findCoordinator } from '../../src/kafka/protocol/find-coordinator.ts';
import { initProducerId } from '../../src/kafka/protocol/init-producer-id.ts';
import { listOffsets } from '../../src/kafka/protocol/list-offsets.ts';
import { metadata } from '../../src/kafka/protocol/metadata.ts';
import { produce } from '../../src/kafka/protocol/produce.ts';
import { saslAuthenticate, saslHandshake } from '../../src/kafka/protocol/sasl.ts';
import { MalformedResponseError, WireReader } from '../../src/kafka/protocol/wire-reader.ts';
import { ResponseFramer } from '../../src/kafka/response-framer.ts';
import { mutated, pieces, type Random } from './random.ts';
import { type FuzzTarget, readOrRefuse, type Verdict } from './target.ts';

const APIS: readonly Api<never, unknown>[] = [
  addPartitionsToTxn,
  apiVersions,
  createTopics,
  describeConfigs,
  endTxn,
  fetch,
  findCoordinator,
  initProducerId,
  listOffsets,
  metadata,
  produce,
  saslAuthenticate,
  saslHandshake,
];

/** Numbers of an answer are whole and exact, and nothing in it is larger than what came. */
function assertSane(value: unknown, limit: number): void {
  if (typeof value === 'number') assert.ok(Number.isSafeInteger(value), `${value} is not exact`);
  else if (typeof value === 'string') assert.ok(value.length <= Math.max(limit, 32));
  else if (Buffer.isBuffer(value)) assert.ok(value.length <= limit);
  else if (value instanceof Map) for (const item of value.values()) assertSane(item, limit);
  else if (Array.isArray(value)) {
    assert.ok(value.length <= limit, 'more items than bytes');
    for (const item of value) assertSane(item, limit);
  } else if (value !== null && typeof value === 'object') {
    for (const item of Object.values(value)) assertSane(item, limit);
  }
}

/** Bytes as answers have them: small counts and lengths, short names, many zeros. Some of them are whole answers. */
function answerLike(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let left = 1 + random(30); left > 0; left--) {
    const size = 1 + random(12);
    const kind = random(5);
    if (kind === 0) parts.push(Buffer.concat([Buffer.of(size + 1), Buffer.alloc(size, 0x61)]));
    else if (kind === 1) parts.push(Buffer.of(random(4)));
    else if (kind === 2) parts.push(Buffer.from([0, 0, 0, random(5)]));
    else if (kind === 3) parts.push(Buffer.alloc(size));
    else parts.push(Buffer.from(Array.from({ length: size }, () => random(256))));
  }
  return Buffer.concat(parts);
}

/** Each kind of answer in each version that we speak, of bytes that nobody meant as one. */
export function kafkaAnswers(): FuzzTarget {
  return {
    name: 'kafka-answers',
    weight: 10,
    next(random: Random) {
      const api = APIS[random(APIS.length)]!;
      const version = api.minVersion + random(api.maxVersion - api.minVersion + 1);
      const bytes = mutated(answerLike(random), random);
      const judge = (): Verdict =>
        readOrRefuse(
          () => assertSane(api.decode(new WireReader(bytes), version), bytes.length),
          MalformedResponseError,
        );
      return { input: `${api.name} ${version}: ${bytes.toString('hex')}`, judge };
    },
  };
}

/** Frames, mutated, and cut anywhere: the cuts must not matter. */
export function kafkaFrames(): FuzzTarget {
  const told = (chunks: readonly Buffer[]): { readonly frames: string[]; readonly verdict: Verdict } => {
    const frames: string[] = [];
    const framer = new ResponseFramer((frame) => frames.push(frame.toString('hex')));
    const verdict = readOrRefuse(() => {
      for (const chunk of chunks) framer.push(chunk);
    }, RangeError);
    return { frames, verdict };
  };
  return {
    name: 'kafka-frames',
    weight: 5,
    next(random: Random) {
      const frames = Array.from({ length: 1 + random(5) }, () => {
        const body = answerLike(random);
        const head = Buffer.alloc(8);
        head.writeInt32BE(4 + body.length, 0);
        return Buffer.concat([head, body]);
      });
      const bytes = mutated(Buffer.concat(frames), random);
      const cut = pieces(bytes, random, 1 + random(60));
      const judge = (): Verdict => {
        const whole = told([bytes]);
        assert.deepEqual(told(cut), whole);
        return whole.verdict;
      };
      return { input: bytes.toString('hex'), judge };
    },
  };
}

class Damage extends Error {}

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let raw = value < 0 ? -2 * value - 1 : 2 * value;
  for (; raw > 0x7f; raw = Math.floor(raw / 128)) bytes.push((raw & 0x7f) | 0x80);
  return Buffer.from([...bytes, raw]);
};

function sealed(attributes: number, count: number, body: Buffer): Buffer {
  const batch = Buffer.alloc(61);
  batch.writeInt32BE(49 + body.length, 8);
  batch[16] = 2;
  batch.writeInt16BE(attributes, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeBigInt64BE(1_700_000_000_000n, 27);
  batch.writeBigInt64BE(1_700_000_000_000n, 35);
  batch.writeInt32BE(count, 57);
  return withChecksum(Buffer.concat([batch, body]));
}

function withChecksum(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

function records(count: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, index) => {
      const key = Buffer.from(`k${index}`);
      const value = Buffer.alloc(5 + index, 0x76);
      const body = Buffer.concat([
        Buffer.of(0),
        varint(index),
        varint(index),
        varint(key.length),
        key,
        varint(value.length),
        value,
        varint(0),
      ]);
      return Buffer.concat([varint(body.length), body]);
    }),
  );
}

/**
 * Batches of the log. Damage on the way is met by the checksum, without exception; a batch that was made wrong has a
 * checksum that fits, and what is in it stays within it.
 */
export function kafkaLog(): FuzzTarget {
  const read = async (bytes: Buffer): Promise<LogBatch[] | null> => {
    try {
      return await decodeLogBatches(bytes, (_offset, why) => new Damage(why));
    } catch (error) {
      if (error instanceof Damage) return null;
      throw error;
    }
  };
  const plain = records(4);
  const batches = [sealed(0, 4, plain), sealed(1, 4, gzipSync(plain)), sealed(0x10, 4, plain)];
  return {
    name: 'kafka-log',
    weight: 5,
    next(random: Random) {
      const batch = batches[random(batches.length)]!;
      const isMadeWrong = random(2) === 0;
      // Base offset, leader epoch and magic are not under the checksum.
      const damaged = mutated(batch, random, 21);
      const isUnchanged = damaged.equals(batch);
      if (isMadeWrong && damaged.length >= 61) {
        damaged.writeInt32BE(damaged.length - 12, 8);
        withChecksum(damaged);
      }
      const judge = async (): Promise<Verdict> => {
        const found = await read(damaged);
        if (found === null) return 'refused';
        if (!isMadeWrong && !isUnchanged) {
          // Cut off, or with more behind it, which is another batch that has not ended.
          const same = damaged.length > batch.length && damaged.subarray(0, batch.length).equals(batch);
          assert.ok(found.length === 0 || (same && found.length === 1), 'a damaged batch was read');
        }
        for (const { records: list } of found) {
          assert.ok(list.length <= damaged.length * 1100, 'more records than bytes');
          // Whoever makes a batch chooses its times: a nonsensical one is rounded.
          for (const { offset, timestampMs } of list)
            assert.ok(Number.isInteger(offset) && Number.isInteger(timestampMs));
        }
        return 'decoded';
      };
      return { input: damaged.toString('hex'), judge };
    },
  };
}
