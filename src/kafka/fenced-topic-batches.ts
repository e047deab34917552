import { crc32c } from '@node-rs/crc32';
import { FatalError } from '../core/errors.ts';
import { decodeLogBatches, type LogRecord } from './log-batches.ts';
import { MAX_VARINT_BYTES } from './record-batch.ts';
import { writeVarint } from './varint.ts';

/** A record batch of the log, as far as a reader of text needs it. */
export interface TextBatch {
  /** Offset behind the batch. */
  readonly nextOffset: number;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** What a control batch says about the open transaction of its producer; null for data. */
  readonly marker: 'commit' | 'abort' | null;
  readonly records: readonly TextRecord[];
}

export interface TextRecord {
  readonly key: string;
  /** Null: a tombstone. */
  readonly value: string | null;
}

export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequence: number;
  readonly timestampMs: number;
}

/** Bytes of a record beside its key and value, at most. */
export const RECORD_OVERHEAD_BYTES = 32;

const HEADER_BYTES = 61;
/** Where `length` begins to count: behind base offset and length. */
const LENGTH_END = 12;
const CRC_START = 21;
const MAGIC = 2;
const TRANSACTIONAL = 1 << 4;

/** One transactional record batch, format 2: https://kafka.apache.org/documentation/#recordbatch */
export function encodeBatch(records: readonly TextRecord[], producer: BatchProducer): Buffer {
  const body = Buffer.concat(records.map(encodeRecord));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32BE(HEADER_BYTES - LENGTH_END + body.length, 8);
  header.writeInt32BE(-1, 12);
  header.writeInt8(MAGIC, 16);
  header.writeInt16BE(TRANSACTIONAL, 21);
  header.writeInt32BE(records.length - 1, 23);
  header.writeBigInt64BE(BigInt(producer.timestampMs), 27);
  header.writeBigInt64BE(BigInt(producer.timestampMs), 35);
  header.writeBigInt64BE(producer.producerId, 43);
  header.writeInt16BE(producer.producerEpoch, 51);
  header.writeInt32BE(producer.sequence, 53);
  header.writeInt32BE(records.length, 57);
  const batch = Buffer.concat([header, body]);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_START)), 17);
  return batch;
}

function encodeRecord(record: TextRecord, offsetDelta: number): Buffer {
  const key = Buffer.from(record.key);
  const value = record.value === null ? null : Buffer.from(record.value);
  const parts = [
    // Attributes and timestamp delta.
    Buffer.of(0, 0),
    varint(offsetDelta),
    varint(key.length),
    key,
    varint(value === null ? -1 : value.length),
    value ?? Buffer.alloc(0),
    // No headers.
    varint(0),
  ];
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([varint(size), ...parts]);
}

/**
 * The whole batches in `bytes`; what is cut off at the end is left out.
 * @param topic named in errors
 */
export async function decodeBatches(bytes: Buffer, topic: string): Promise<TextBatch[]> {
  const batches = await decodeLogBatches(bytes, (baseOffset, why) =>
    damaged(`the batch at offset ${baseOffset} of topic ${topic}`, why),
  );
  return batches.map(({ nextOffset, producerId, transactional, control, records }) => ({
    nextOffset,
    producerId,
    transactional,
    marker: control ? markerOf(records) : null,
    records: control ? [] : records.map(textRecord),
  }));
}

/** Control records: version and type as 16-bit numbers in the key; 0 aborts, 1 commits, others are not about transactions. */
function markerOf(records: readonly LogRecord[]): 'commit' | 'abort' | null {
  const key = records[0]?.key;
  if (key === undefined || key === null || key.length < 4) return null;
  const type = key.readInt16BE(2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : null;
}

function textRecord({ key, value }: LogRecord): TextRecord {
  return { key: key?.toString('utf8') ?? '', value: value?.toString('utf8') ?? null };
}

function varint(value: number): Buffer {
  const bytes = Buffer.alloc(MAX_VARINT_BYTES);
  return bytes.subarray(0, writeVarint(bytes, 0, value));
}

function damaged(where: string, why: string): FatalError {
  return new FatalError(`${where} is damaged: ${why}`, {
    code: 'CHECKPOINT_TOPIC_DAMAGED',
    remedy: 'Look at the disks of the brokers; then import a checkpoint that was exported, or resync the source.',
  });
}
