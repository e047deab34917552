import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';

/** ROTATE_EVENT: what comes next lies in `file` from `position` on. */
export interface Rotate {
  readonly file: string;
  readonly position: number;
}

export function parseRotate(bytes: Buffer, start: number, end: number): Rotate {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const position = reader.uint64();
  return { position, file: reader.utf8(reader.remaining) };
}
