import { EventType, eventNextPosition, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import type { Rotate } from './rotate.ts';

/** `binary_log::codecs::binary::Heartbeat`: the fields of HEARTBEAT_LOG_EVENT_V2. */
const FIELD_END = 0;
const FIELD_FILE = 1;
const FIELD_POSITION = 2;

/**
 * HEARTBEAT_LOG_EVENT and HEARTBEAT_LOG_EVENT_V2: where the server's sender stands. The first has 32 bits for the
 * position, which is why there is a second.
 */
export function parseHeartbeat(bytes: Buffer, start: number, end: number): Rotate {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  if (eventType(bytes, start) === EventType.heartbeat) {
    return { file: reader.utf8(reader.remaining), position: eventNextPosition(bytes, start) };
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
  return { file, position };
}
