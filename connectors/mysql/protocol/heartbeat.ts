import { EventType, eventNextPosition, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Rotate } from './rotate.ts';

/** `binary_log::codecs::binary::Heartbeat`: the fields of HEARTBEAT_LOG_EVENT_V2. */
const FIELD_END = 0;
const FIELD_FILE = 1;
const FIELD_POSITION = 2;
const LARGE_POSITION_BYTES = 8;

/**
 * HEARTBEAT_LOG_EVENT and HEARTBEAT_LOG_EVENT_V2: where the server's sender stands. The first has 32 bits for the
 * position, which is why there is a second; MariaDB has larger ones in front of the file name instead.
 */
export function parseHeartbeat(bytes: Buffer, start: number, end: number): Rotate {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  if (eventType(bytes, start) === EventType.heartbeat) {
    const low = eventNextPosition(bytes, start);
    const position = low === 0 && hasLargePosition(bytes, start, end) ? reader.uint64() : low;
    return { file: reader.utf8(reader.remaining), position };
  }
  let file = '';
  let position = 0;
  while (reader.remaining > 0) {
    const type = reader.lengthEncoded();
    if (type === FIELD_END) break;
    const field = reader.part(reader.lengthEncoded());
    if (type === FIELD_FILE) file = field.utf8(field.remaining);
    else if (type === FIELD_POSITION) position = field.lengthEncoded();
  }
  if (file === '') throw new ProtocolError('a heartbeat names no file');
  return { file, position };
}

/** A file name has no zero byte, a position below 2^56 ends with one. */
function hasLargePosition(bytes: Buffer, start: number, end: number): boolean {
  const body = start + HEADER_BYTES;
  return end - body > LARGE_POSITION_BYTES && bytes[body + LARGE_POSITION_BYTES - 1] === 0;
}
