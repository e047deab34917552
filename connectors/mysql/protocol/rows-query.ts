import { EventType, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';

/** The statement that made the rows after it: ROWS_QUERY_LOG_EVENT of MySQL, ANNOTATE_ROWS_EVENT of MariaDB. */
export function parseRowsQuery(bytes: Buffer, start: number, end: number): string {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  // MySQL's length byte is the length modulo 256: the event's end says more.
  if (eventType(bytes, start) === EventType.rowsQuery) reader.uint8();
  return reader.utf8(reader.remaining);
}
