import { ProtocolError } from './protocol-error.ts';

/** Log_event_type of MySQL, from 160 on of MariaDB. */
export const EventType = {
  unknown: 0,
  start: 1,
  query: 2,
  stop: 3,
  rotate: 4,
  intvar: 5,
  load: 6,
  slave: 7,
  createFile: 8,
  appendBlock: 9,
  execLoad: 10,
  deleteFile: 11,
  newLoad: 12,
  rand: 13,
  userVar: 14,
  formatDescription: 15,
  xid: 16,
  beginLoadQuery: 17,
  executeLoadQuery: 18,
  tableMap: 19,
  preGaWriteRows: 20,
  preGaUpdateRows: 21,
  preGaDeleteRows: 22,
  writeRowsV1: 23,
  updateRowsV1: 24,
  deleteRowsV1: 25,
  incident: 26,
  heartbeat: 27,
  ignorable: 28,
  rowsQuery: 29,
  writeRows: 30,
  updateRows: 31,
  deleteRows: 32,
  gtid: 33,
  anonymousGtid: 34,
  previousGtids: 35,
  transactionContext: 36,
  viewChange: 37,
  xaPrepare: 38,
  partialUpdateRows: 39,
  transactionPayload: 40,
  heartbeatV2: 41,
  gtidTagged: 42,
  /** Only of help to crash recovery; always marked as ignorable. */
  largeTransactionHeader: 43,
  mariadbAnnotateRows: 160,
  mariadbBinlogCheckpoint: 161,
  mariadbGtid: 162,
  mariadbGtidList: 163,
  mariadbStartEncryption: 164,
  mariadbQueryCompressed: 165,
  mariadbWriteRowsCompressedV1: 166,
  mariadbUpdateRowsCompressedV1: 167,
  mariadbDeleteRowsCompressedV1: 168,
  mariadbWriteRowsCompressed: 169,
  mariadbUpdateRowsCompressed: 170,
  mariadbDeleteRowsCompressed: 171,
  /** A part of a rows event that is too large for a packet (MariaDB 12.3). */
  mariadbPartialRowData: 172,
} as const;

/** Bytes of the header that every event of binlog version 4 begins with. */
export const HEADER_BYTES = 19;
/** LOG_EVENT_ARTIFICIAL_F: made up by the server for the stream, not in the file. */
export const ARTIFICIAL_FLAG = 0x20;
/** LOG_EVENT_IGNORABLE_F: a reader that does not know the event may go on. */
export const IGNORABLE_FLAG = 0x80;

/** @throws ProtocolError where `bytes[start, end)` is too short for a header. */
export function checkHeader(start: number, end: number): void {
  if (end - start < HEADER_BYTES) throw new ProtocolError('an event ends inside of its header');
}

/** Seconds since 1970. */
export function eventTimestamp(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start);
}

export function eventType(bytes: Buffer, start: number): number {
  return bytes[start + 4] as number;
}

export function eventServerId(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 5);
}

/** Bytes in the file: with the checksum, which is no longer there, and compressed where it was. */
export function eventSize(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 9);
}

/** Where the next event begins, modulo 2^32; 0 where the event is not in a file, or the server does not say. */
export function eventNextPosition(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + 13);
}

export function eventFlags(bytes: Buffer, start: number): number {
  return bytes.readUInt16LE(start + 17);
}
