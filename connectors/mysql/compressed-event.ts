import { inflateSync } from 'node:zlib';
import { EventType, eventType, HEADER_BYTES } from './protocol/binlog-event.ts';
import { ByteReader } from './protocol/byte-reader.ts';
import { ProtocolError } from './protocol/protocol-error.ts';

const ZLIB = 0;
const ROWS_HEAD_BYTES = 8;

/** Whether the event is one of MariaDB's `log_bin_compress`: QUERY_COMPRESSED and the compressed rows events. */
export function isCompressed(type: number): boolean {
  return type >= EventType.mariadbQueryCompressed && type <= EventType.mariadbDeleteRowsCompressed;
}

/**
 * The event that a compressed one stands for. Its header is the compressed event's but for the type: the size in it is
 * the size in the file.
 * @param maxBytes the most that its content may be
 * @see https://mariadb.com/kb/en/query_compressed_event/
 */
export function uncompressEvent(bytes: Buffer, start: number, end: number, maxBytes: number): Buffer {
  const reader = new ByteReader(bytes, start, end);
  reader.skip(HEADER_BYTES);
  const type = eventType(bytes, start);
  if (type === EventType.mariadbQueryCompressed) skipQueryHead(reader);
  else skipRowsHead(reader, type);
  const headEnd = reader.position;
  const contentBytes = readContentBytes(reader);
  if (contentBytes > maxBytes) throw new ProtocolError(`a compressed event has ${contentBytes} bytes`);
  const content = inflate(bytes.subarray(reader.position, end), contentBytes);
  const event = Buffer.allocUnsafe(headEnd - start + contentBytes);
  bytes.copy(event, 0, start, headEnd);
  content.copy(event, headEnd - start);
  event[4] = uncompressedType(type);
  return event;
}

function skipQueryHead(reader: ByteReader): void {
  reader.skip(8);
  const databaseBytes = reader.uint8();
  reader.skip(2);
  reader.skip(reader.uint16());
  reader.skip(databaseBytes + 1);
}

function skipRowsHead(reader: ByteReader, type: number): void {
  reader.skip(ROWS_HEAD_BYTES);
  if (type >= EventType.mariadbWriteRowsCompressed) {
    const extraBytes = reader.uint16();
    if (extraBytes < 2) throw new ProtocolError('the extra data of a rows event have no length');
    reader.skip(extraBytes - 2);
  }
  const bitmapBytes = (reader.lengthEncoded() + 7) >> 3;
  const isUpdate = type === EventType.mariadbUpdateRowsCompressed || type === EventType.mariadbUpdateRowsCompressedV1;
  reader.skip(isUpdate ? bitmapBytes * 2 : bitmapBytes);
}

/** In front of the compressed bytes: a byte with the algorithm and the size of the length, then the length, big-endian. */
function readContentBytes(reader: ByteReader): number {
  const head = reader.uint8();
  if ((head & 0x80) === 0) throw new ProtocolError('a compressed event is not compressed');
  const algorithm = (head & 0x70) >> 4;
  if (algorithm !== ZLIB) throw new ProtocolError(`an event is compressed with the unknown algorithm ${algorithm}`);
  const lengthBytes = head & 7;
  if (lengthBytes < 1 || lengthBytes > 4) throw new ProtocolError('a compressed event does not say how long it is');
  let length = 0;
  for (let index = 0; index < lengthBytes; index++) length = length * 256 + reader.uint8();
  return length;
}

function inflate(compressed: Uint8Array, contentBytes: number): Buffer {
  let content: Buffer;
  try {
    content = inflateSync(compressed, { maxOutputLength: Math.max(contentBytes, 1) });
  } catch (error) {
    throw new ProtocolError('a compressed event cannot be uncompressed', { cause: error });
  }
  if (content.length !== contentBytes) throw new ProtocolError('a compressed event has another length than it says');
  return content;
}

function uncompressedType(type: number): number {
  if (type === EventType.mariadbQueryCompressed) return EventType.query;
  if (type >= EventType.mariadbWriteRowsCompressed) {
    return type - EventType.mariadbWriteRowsCompressed + EventType.writeRows;
  }
  return type - EventType.mariadbWriteRowsCompressedV1 + EventType.writeRowsV1;
}
