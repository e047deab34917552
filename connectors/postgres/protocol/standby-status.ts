import { POSTGRES_EPOCH_US } from './byte-reader.ts';
import type { Lsn } from './lsn.ts';

export interface StandbyStatus {
  /** What was received; informative only. */
  readonly written: Lsn;
  /** What the server may forget. Zero confirms nothing. */
  readonly flushed: Lsn;
  readonly nowUs: number;
  readonly requestReply: boolean;
}

/**
 * The "Standby status update" message (34 bytes), the only way to confirm anything to a walsender.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function encodeStandbyStatus(status: StandbyStatus): Buffer {
  const message = Buffer.alloc(34);
  message[0] = 0x72;
  writeLsn(message, 1, status.written);
  writeLsn(message, 9, status.flushed);
  writeLsn(message, 17, status.flushed);
  const sinceEpoch2000 = Math.max(0, status.nowUs - POSTGRES_EPOCH_US);
  message.writeUInt32BE(Math.floor(sinceEpoch2000 / 0x1_0000_0000), 25);
  message.writeUInt32BE(sinceEpoch2000 % 0x1_0000_0000, 29);
  message[33] = status.requestReply ? 1 : 0;
  return message;
}

function writeLsn(message: Buffer, at: number, lsn: Lsn): void {
  message.writeUInt32BE(lsn.high, at);
  message.writeUInt32BE(lsn.low, at + 4);
}
