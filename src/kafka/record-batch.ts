import { crc32c } from '@node-rs/crc32';
import { copyBytes } from '../core/copy-bytes.ts';
import type { OutgoingRecord } from '../core/sink.ts';
import type { Ticket } from '../core/ticket.ts';
import type { BufferPool } from './buffer-pool.ts';
import type { Compressor } from './compression.ts';
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts';

/** What a batch has before its records. */
export const BATCH_HEADER_BYTES = 61;
const CRC_FROM = 21;
/** Of the length before each record. */
export const MAX_VARINT_BYTES = 5;
const COPY_LOOP_BELOW = 16;
/** Below this a trip to another thread costs more than compressing here. */
const COMPRESS_HERE_BELOW = 16 * 1024;
/** Above this the output goes where it stays: it shall not be in memory twice. */
const COMPRESS_INTO_PLACE_ABOVE = 1024 * 1024;

export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

/**
 * Records for one partition in record batch format v2 (https://kafka.apache.org/documentation/#recordbatch). It is filled,
 * sealed once with its sequence number, and from then on only ever sent as it is: a broker recognises a repeated batch by
 * producer and sequence, and would take other bytes under the same number for the same records.
 */
export class RecordBatch {
  /** When the first record was appended, monotonic milliseconds: its delivery deadline counts from there. */
  readonly createdAtMs: number;
  /** Place in the order of its partition. */
  readonly index: number;
  readonly tickets: Ticket[] = [];
  /** Bytes of keys and values. */
  payloadBytes = 0;
  /** Size before compression: what the batch counts for in the byte budget. */
  accountedBytes = BATCH_HEADER_BYTES;
  baseSequence = -1;
  /** The bytes to send; null until it is sealed and, where it is compressed elsewhere, compressed. */
  wire: Buffer | null = null;
  readonly #pool: BufferPool;
  #bytes: Buffer;
  #length = BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestampMs = 0;
  #maxTimestampMs = 0;

  constructor(pool: BufferPool, index: number, createdAtMs: number, expectedBytes: number) {
    this.#pool = pool;
    this.#bytes = pool.take(Math.max(expectedBytes, BATCH_HEADER_BYTES));
    this.index = index;
    this.createdAtMs = createdAtMs;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes that the record would add, besides the varint of this number itself. */
  bodyBytes(record: OutgoingRecord): number {
    return bodyBytes(record, this.#timestampDelta(record), this.#count);
  }

  /** Copies the record; `body` is what `bodyBytes` gave for it. */
  append(record: OutgoingRecord, body: number, ticket: Ticket): void {
    if (this.#count === 0) {
      this.#baseTimestampMs = record.timestampMs;
      this.#maxTimestampMs = record.timestampMs;
    } else if (record.timestampMs > this.#maxTimestampMs) {
      this.#maxTimestampMs = record.timestampMs;
    }
    this.#reserve(MAX_VARINT_BYTES + body);
    this.#length = this.#write(record, body);
    this.accountedBytes = this.#length;
    this.#count += 1;
    if (record.keyStart >= 0) this.payloadBytes += record.keyEnd - record.keyStart;
    if (record.valueStart >= 0) this.payloadBytes += record.valueEnd - record.valueStart;
    if (this.tickets.at(-1) !== ticket) {
      this.tickets.push(ticket);
      ticket.hold();
    }
  }

  /**
   * Fixes the batch: identity, sequence, compression, checksum. `wire` is set on return, or when `onReady` is called where
   * the records are compressed on another thread. Compression that does not make it smaller is left out, so that a batch
   * is never larger than `accountedBytes`.
   */
  seal(producer: ProducerIdentity, baseSequence: number, compressor: Compressor | null, onReady: () => void): void {
    this.baseSequence = baseSequence;
    const records = this.#bytes.subarray(BATCH_HEADER_BYTES, this.#length);
    if (compressor === null) {
      this.#finish(producer, 0);
      return;
    }
    if (records.length < COMPRESS_HERE_BELOW || compressor.compress === null) {
      this.#takeCompressed(compressor.compressSync(records), null, producer, compressor);
      return;
    }
    const place = records.length > COMPRESS_INTO_PLACE_ABOVE ? this.#pool.take(this.#length) : null;
    compressor.compress(records, place?.subarray(BATCH_HEADER_BYTES) ?? null).then(
      (compressed) => {
        this.#takeCompressed(compressed, place, producer, compressor);
        onReady();
      },
      // Only memory can be missing: uncompressed is as good for the reader.
      () => {
        if (place !== null) this.#pool.give(place);
        this.#finish(producer, 0);
        onReady();
      },
    );
  }

  /**
   * Gives the memory back, at once. Only when the batch is acknowledged and each socket that it was given to has written it
   * or is closed: that is when the connection settles its requests.
   */
  recycle(): void {
    this.wire = null;
    this.#pool.give(this.#bytes);
    this.#bytes = EMPTY;
  }

  #takeCompressed(compressed: Buffer, place: Buffer | null, producer: ProducerIdentity, compressor: Compressor): void {
    const length = BATCH_HEADER_BYTES + compressed.length;
    if (length >= this.#length) {
      if (place !== null) this.#pool.give(place);
      this.#finish(producer, 0);
      return;
    }
    const raw = this.#bytes;
    this.#bytes = place ?? this.#pool.take(length);
    if (compressed.buffer !== this.#bytes.buffer) compressed.copy(this.#bytes, BATCH_HEADER_BYTES);
    this.#length = length;
    this.#pool.give(raw);
    this.#finish(producer, compressor.attributes);
  }

  #finish(producer: ProducerIdentity, attributes: number): void {
    const bytes = this.#bytes;
    bytes.fill(0, 0, 8);
    bytes.writeInt32BE(this.#length - 12, 8);
    bytes.writeInt32BE(-1, 12);
    bytes.writeInt8(2, 16);
    bytes.writeInt16BE(attributes, CRC_FROM);
    bytes.writeInt32BE(this.#count - 1, 23);
    writeSafeInt64(bytes, 27, this.#baseTimestampMs);
    writeSafeInt64(bytes, 35, this.#maxTimestampMs);
    bytes.writeBigInt64BE(producer.id, 43);
    bytes.writeInt16BE(producer.epoch, 51);
    bytes.writeInt32BE(this.baseSequence, 53);
    bytes.writeInt32BE(this.#count, 57);
    const wire = bytes.subarray(0, this.#length);
    bytes.writeUInt32BE(crc32c(wire.subarray(CRC_FROM)), 17);
    this.wire = wire;
  }

  #timestampDelta(record: OutgoingRecord): number {
    return this.#count === 0 ? 0 : record.timestampMs - this.#baseTimestampMs;
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = this.#pool.take(needed);
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#pool.give(this.#bytes);
    this.#bytes = grown;
  }

  #write(record: OutgoingRecord, body: number): number {
    const to = this.#bytes;
    const delta = this.#timestampDelta(record);
    let at = writeVarint(to, this.#length, body);
    to[at++] = 0;
    at = writeVarlong(to, at, delta);
    at = writeVarint(to, at, this.#count);
    at = writeRange(to, at, record.bytes, record.keyStart, record.keyEnd);
    at = writeRange(to, at, record.bytes, record.valueStart, record.valueEnd);
    const headers = record.headers;
    at = writeVarint(to, at, headers.length);
    for (let i = 0; i < headers.length; i++) {
      const { name, value } = headers[i]!;
      at = writeVarint(to, at, Buffer.byteLength(name));
      at += to.write(name, at, 'utf8');
      at = writeRange(to, at, value, 0, value.length);
    }
    return at;
  }
}

const EMPTY = Buffer.alloc(0);

/** Exact bytes of a record as the only one of a batch, length prefix included. */
export function loneRecordBytes(record: OutgoingRecord): number {
  const body = bodyBytes(record, 0, 0);
  return varintBytes(body) + body;
}

function bodyBytes(record: OutgoingRecord, timestampDelta: number, offsetDelta: number): number {
  let size = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta);
  size += rangeBytes(record.keyStart, record.keyEnd) + rangeBytes(record.valueStart, record.valueEnd);
  const headers = record.headers;
  size += varintBytes(headers.length);
  for (let i = 0; i < headers.length; i++) {
    const { name, value } = headers[i]!;
    size += rangeBytes(0, Buffer.byteLength(name)) + rangeBytes(0, value.length);
  }
  return size;
}

function rangeBytes(start: number, end: number): number {
  return start < 0 ? 1 : varintBytes(end - start) + end - start;
}

/** Writes the length and the bytes `[start, end)`; a negative start is null. */
function writeRange(to: Buffer, at: number, from: Uint8Array, start: number, end: number): number {
  if (start < 0) return writeVarint(to, at, -1);
  const size = end - start;
  let position = writeVarint(to, at, size);
  if (size < COPY_LOOP_BELOW) {
    for (let i = start; i < end; i++) to[position++] = from[i]!;
    return position;
  }
  copyBytes(from, start, end, to, position);
  return position + size;
}

function writeSafeInt64(bytes: Buffer, at: number, value: number): void {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at);
  bytes.writeUInt32BE((value % 0x1_0000_0000) >>> 0, at + 4);
}
