import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { FatalError } from '../core/errors.ts';
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
const COMPRESSION_MASK = 7;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;

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
  const batches: TextBatch[] = [];
  let at = 0;
  while (bytes.length - at > LENGTH_END) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    batches.push(await decodeBatch(bytes.subarray(at, end), topic));
    at = end;
  }
  return batches;
}

async function decodeBatch(batch: Buffer, topic: string): Promise<TextBatch> {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const where = `the batch at offset ${baseOffset} of topic ${topic}`;
  if (batch.length < HEADER_BYTES || batch[16] !== MAGIC) throw damaged(where, 'its format is not 2');
  if (crc32c(batch.subarray(CRC_START)) !== batch.readUInt32BE(17)) throw damaged(where, 'its checksum is wrong');
  const attributes = batch.readInt16BE(21);
  const body = await decompress(batch.subarray(HEADER_BYTES), attributes & COMPRESSION_MASK, where);
  const pairs = decodeRecords(body, batch.readInt32BE(57), where);
  const control = (attributes & CONTROL) !== 0;
  return {
    nextOffset: baseOffset + batch.readInt32BE(23) + 1,
    producerId: batch.readBigInt64BE(43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    marker: control ? markerOf(pairs) : null,
    records: control ? [] : pairs.map(textRecord),
  };
}

interface Pair {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

function decodeRecords(bytes: Buffer, count: number, where: string): Pair[] {
  const pairs: Pair[] = [];
  const cursor = { bytes, at: 0 };
  for (let i = 0; i < count; i += 1) {
    const size = readVarint(cursor);
    const end = cursor.at + size;
    if (size < 0 || end > bytes.length) throw damaged(where, 'a record ends behind it');
    // Attributes, then the two deltas that nobody needs here.
    cursor.at += 1;
    skipVarint(cursor);
    skipVarint(cursor);
    const key = readBytes(cursor);
    pairs.push({ key, value: readBytes(cursor) });
    cursor.at = end;
  }
  return pairs;
}

/** Control records: version and type as 16-bit numbers in the key; 0 aborts, 1 commits, others are not about transactions. */
function markerOf(pairs: readonly Pair[]): 'commit' | 'abort' | null {
  const key = pairs[0]?.key;
  if (key === undefined || key === null || key.length < 4) return null;
  const type = key.readInt16BE(2);
  return type === 1 ? 'commit' : type === 0 ? 'abort' : null;
}

function textRecord({ key, value }: Pair): TextRecord {
  return { key: key?.toString('utf8') ?? '', value: value?.toString('utf8') ?? null };
}

/** The broker compresses what it is given where the topic's `compression.type` says so. */
async function decompress(bytes: Buffer, codec: number, where: string): Promise<Buffer> {
  if (codec === 0) return bytes;
  if (codec === 1) return gunzipSync(bytes);
  if (codec === 4) return zstdDecompressSync(bytes);
  if (codec !== 2 && codec !== 3) throw damaged(where, `its compression ${codec} is unknown`);
  // Loaded only when met: it comes with a whole Kafka client.
  const { compressionsAlgorithms } = await import('@platformatic/kafka');
  return compressionsAlgorithms[codec === 2 ? 'snappy' : 'lz4'].decompressSync(bytes);
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

function readBytes(cursor: Cursor): Buffer | null {
  const size = readVarint(cursor);
  if (size < 0) return null;
  cursor.at += size;
  return cursor.bytes.subarray(cursor.at - size, cursor.at);
}

/** A zigzag varint of at most 32 bits. */
function readVarint(cursor: Cursor): number {
  let raw = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes[cursor.at++] ?? 0;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80 || shift >= 28) return (raw >>> 1) ^ -(raw & 1);
  }
}

function skipVarint(cursor: Cursor): void {
  while ((cursor.bytes[cursor.at++] ?? 0) >= 0x80);
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
