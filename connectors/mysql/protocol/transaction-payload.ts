import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/** TRANSACTION_PAYLOAD_EVENT: the events of a transaction, without checksums, compressed together. */
export interface TransactionPayload {
  readonly compression: 'zstd' | 'none';
  readonly uncompressedBytes: number;
  /** The payload is `bytes[payloadStart, payloadEnd)`. */
  readonly payloadStart: number;
  readonly payloadEnd: number;
}

/** `binary_log::codecs::binary::Transaction_payload`: the fields in front of the payload. */
const FIELD_END = 0;
const FIELD_PAYLOAD_BYTES = 1;
const FIELD_COMPRESSION = 2;
const FIELD_UNCOMPRESSED_BYTES = 3;

const ZSTD = 0;
const NONE = 255;

/** Bytes from the start of the event in which all fields in front of the payload lie. */
export const MOST_FIELDS_BYTES = HEADER_BYTES + 64;

/**
 * Reads what stands in front of the payload: `bytes[start, end)` is the event, or the beginning of it.
 * @param size of the whole event without its checksum
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html
 */
export function parseTransactionPayload(
  bytes: Buffer,
  start: number,
  end: number,
  size = end - start,
): TransactionPayload {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  let compression: number | null = null;
  let payloadBytes: number | null = null;
  let uncompressedBytes: number | null = null;
  for (;;) {
    const type = reader.lengthEncoded();
    if (type === FIELD_END) break;
    const field = reader.part(reader.lengthEncoded());
    if (type === FIELD_PAYLOAD_BYTES) payloadBytes = field.lengthEncoded();
    else if (type === FIELD_COMPRESSION) compression = field.lengthEncoded();
    else if (type === FIELD_UNCOMPRESSED_BYTES) uncompressedBytes = field.lengthEncoded();
  }
  if (payloadBytes === null || compression === null) {
    throw new ProtocolError('a compressed transaction says neither how long it is nor how it is compressed');
  }
  if (compression !== ZSTD && compression !== NONE) {
    throw new ProtocolError(`a transaction is compressed with the unknown algorithm ${compression}`);
  }
  // Where nothing is compressed the size is left out.
  if (uncompressedBytes === null) {
    if (compression === ZSTD) throw new ProtocolError('a compressed transaction does not say how long it is');
    uncompressedBytes = payloadBytes;
  }
  const payloadStart = reader.position;
  if (payloadStart - start + payloadBytes !== size) {
    throw new ProtocolError('a compressed transaction is not as long as it says');
  }
  return {
    compression: compression === ZSTD ? 'zstd' : 'none',
    uncompressedBytes,
    payloadStart,
    payloadEnd: payloadStart + payloadBytes,
  };
}
