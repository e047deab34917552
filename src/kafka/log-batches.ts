import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';

/** A record batch of the log: https://kafka.apache.org/documentation/#recordbatch */
export interface LogBatch {
  /** Offset behind the batch. */
  readonly nextOffset: number;
  readonly producerId: bigint;
  readonly transactional: boolean;
  /** Its records are markers of the broker, not data. */
  readonly control: boolean;
  readonly records: readonly LogRecord[];
}

export interface LogRecord {
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** Null: a tombstone. */
  readonly value: Buffer | null;
  /** As they lie in the record; `headerOf` finds one. Null where there are none. */
  readonly headers: Buffer | null;
}

/** Makes the error for a batch that is not what its producer wrote. */
export type Damaged = (baseOffset: number, why: string) => Error;

const HEADER_BYTES = 61;
/** Where `length` begins to count: behind base offset and length. */
const LENGTH_END = 12;
const CRC_START = 21;
const MAGIC = 2;
const COMPRESSION_MASK = 7;
const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;

/** The value of the first header of this name; null where there is none. @throws what `damaged` makes. */
export function headerOf(headers: Buffer, name: string, damaged: (why: string) => Error): Buffer | null {
  return new RecordCursor(headers, damaged).header(name);
}

/** The whole batches in `bytes`; what is cut off at the end is left out. @throws what `damaged` makes. */
export async function decodeLogBatches(bytes: Buffer, damaged: Damaged): Promise<LogBatch[]> {
  const batches: LogBatch[] = [];
  let at = 0;
  while (bytes.length - at > LENGTH_END) {
    const end = at + LENGTH_END + bytes.readInt32BE(at + 8);
    if (end > bytes.length) break;
    // A length that steps back would be read for ever.
    if (end < at + HEADER_BYTES) throw damaged(Number(bytes.readBigInt64BE(at)), 'its length is wrong');
    batches.push(await decodeBatch(bytes.subarray(at, end), damaged));
    at = end;
  }
  return batches;
}

async function decodeBatch(batch: Buffer, damaged: Damaged): Promise<LogBatch> {
  const baseOffset = Number(batch.readBigInt64BE(0));
  if (batch[16] !== MAGIC) throw damaged(baseOffset, 'its format is not 2');
  if (crc32c(batch.subarray(CRC_START)) !== batch.readUInt32BE(17)) throw damaged(baseOffset, 'its checksum is wrong');
  const attributes = batch.readInt16BE(CRC_START);
  const body = await decompress(batch.subarray(HEADER_BYTES), attributes & COMPRESSION_MASK).catch((error: unknown) => {
    throw Object.assign(damaged(baseOffset, 'it cannot be decompressed'), { cause: error });
  });
  if (body === null) throw damaged(baseOffset, `its compression ${attributes & COMPRESSION_MASK} is unknown`);
  const cursor = new RecordCursor(body, (why) => damaged(baseOffset, why));
  const baseTimestampMs = Number(batch.readBigInt64BE(27));
  const appendedAtMs = (attributes & LOG_APPEND_TIME) === 0 ? null : Number(batch.readBigInt64BE(35));
  const records: LogRecord[] = [];
  const count = batch.readInt32BE(57);
  for (let i = 0; i < count; i++) records.push(cursor.record(baseOffset, baseTimestampMs, appendedAtMs));
  return {
    nextOffset: baseOffset + batch.readInt32BE(23) + 1,
    producerId: batch.readBigInt64BE(43),
    transactional: (attributes & TRANSACTIONAL) !== 0,
    control: (attributes & CONTROL) !== 0,
    records,
  };
}

/** Brokers compress what they are given where the topic's `compression.type` says so. Null for an unknown codec. */
async function decompress(bytes: Buffer, codec: number): Promise<Buffer | null> {
  if (codec === 0) return bytes;
  if (codec === 1) return gunzipSync(bytes);
  if (codec === 4) return zstdDecompressSync(bytes);
  if (codec !== 2 && codec !== 3) return null;
  // Loaded only when met: it comes with a whole Kafka client.
  const { compressionsAlgorithms } = await import('@platformatic/kafka');
  return Buffer.from(compressionsAlgorithms[codec === 2 ? 'snappy' : 'lz4'].decompressSync(bytes));
}

class RecordCursor {
  readonly #bytes: Buffer;
  readonly #damaged: (why: string) => Error;
  #at = 0;

  constructor(bytes: Buffer, damaged: (why: string) => Error) {
    this.#bytes = bytes;
    this.#damaged = damaged;
  }

  record(baseOffset: number, baseTimestampMs: number, appendedAtMs: number | null): LogRecord {
    const size = this.#varint();
    const end = this.#at + size;
    if (size < 0 || end > this.#bytes.length) throw this.#damaged('a record ends behind it');
    // Attributes, which nothing uses.
    this.#at += 1;
    const timestampDelta = this.#varint();
    const offset = baseOffset + this.#varint();
    const key = this.#range(end);
    const value = this.#range(end);
    // One byte counts none.
    const headers = end - this.#at > 1 ? this.#bytes.subarray(this.#at, end) : null;
    if (this.#at > end) throw this.#damaged('a record is longer than it says');
    this.#at = end;
    return { offset, timestampMs: appendedAtMs ?? baseTimestampMs + timestampDelta, key, value, headers };
  }

  header(name: string): Buffer | null {
    const end = this.#bytes.length;
    for (let left = this.#varint(); left > 0; left--) {
      const found = this.#range(end)?.toString('utf8');
      const value = this.#range(end);
      if (found === name) return value;
    }
    return null;
  }

  #range(end: number): Buffer | null {
    const size = this.#varint();
    if (size < 0) return null;
    const at = this.#at;
    if (at + size > end) throw this.#damaged('a key or value ends behind its record');
    this.#at = at + size;
    return this.#bytes.subarray(at, at + size);
  }

  /** A zigzag varint, exact up to 2^53: timestamp deltas can be wider than 32 bits. */
  #varint(): number {
    let raw = 0;
    for (let power = 1; power < 2 ** 63; power *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw this.#damaged('a number ends behind it');
      raw += (byte & 0x7f) * power;
      if (byte < 0x80) return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    throw this.#damaged('a number is too long');
  }
}
