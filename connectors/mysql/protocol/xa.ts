import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

/** XA_PREPARE_LOG_EVENT: the end of the rows of a prepared transaction. */
export interface XaPrepare {
  /** XA COMMIT … ONE PHASE: prepared and committed at once. */
  readonly onePhase: boolean;
  /** As the statements about it write it: `X'6731',X'6231',1`. */
  readonly xid: string;
}

export function parseXaPrepare(bytes: Buffer, start: number, end: number): XaPrepare {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const onePhase = reader.uint8() !== 0;
  const format = reader.uint32() | 0;
  const gtridLength = reader.uint32();
  const bqualLength = reader.uint32();
  if (gtridLength > 64 || bqualLength > 64) throw new ProtocolError('an xid is longer than 128 bytes');
  return { onePhase, xid: xidText(reader.hex(gtridLength), reader.hex(bqualLength), format) };
}

export function xidText(gtridHex: string, bqualHex: string, format: number): string {
  return `X'${gtridHex}',X'${bqualHex}',${format}`;
}
