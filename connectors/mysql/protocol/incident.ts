import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';

/** INCIDENT_EVENT: something happened that the log does not tell, so what comes after it may not follow from it. */
export interface Incident {
  /** 1 is LOST_EVENTS. */
  readonly number: number;
  readonly message: string;
}

export function parseIncident(bytes: Buffer, start: number, end: number): Incident {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const number = reader.uint16();
  const message = reader.remaining > 0 ? reader.utf8(reader.uint8()) : '';
  return { number, message };
}
