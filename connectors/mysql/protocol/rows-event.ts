import { EventType, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ProtocolError } from './protocol-error.ts';

/** The head of a rows event. Reused from event to event: read before the next one is parsed. */
export interface RowsEvent {
  tableId: number;
  columnCount: number;
  /** Where the bitmaps of the columns in the images start; the second is that of the new image of an update, else the first. */
  bitmap: number;
  newBitmap: number;
  firstRow: number;
}

export function emptyRowsEvent(): RowsEvent {
  return { tableId: 0, columnCount: 0, bitmap: 0, newBitmap: 0, firstRow: 0 };
}

/** A rows event of this id closes a statement and has neither a table nor rows. */
export const DUMMY_TABLE_ID = 0xff_ffff;

export function isUpdate(type: number): boolean {
  return type === EventType.updateRows || type === EventType.updateRowsV1;
}

/** WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS events of versions 1 and 2. */
export function parseRowsEvent(bytes: Buffer, start: number, end: number, into: RowsEvent): void {
  const type = eventType(bytes, start);
  const hasExtra = type >= EventType.writeRows;
  let at = start + HEADER_BYTES;
  if (at + (hasExtra ? 10 : 8) > end) throw new ProtocolError('a rows event ends inside of its head');
  into.tableId = bytes.readUIntLE(at, 6);
  at += 8;
  if (hasExtra) {
    const extra = bytes.readUInt16LE(at);
    if (extra < 2) throw new ProtocolError('the extra data of a rows event have no length');
    at += extra;
  }
  if (at >= end) throw new ProtocolError('a rows event ends before its columns');
  let columnCount = bytes[at] as number;
  at += 1;
  if (columnCount === 0xfc) {
    if (at + 2 > end) throw new ProtocolError('a rows event ends before its columns');
    columnCount = bytes.readUInt16LE(at);
    at += 2;
  } else if (columnCount > 0xfa) throw new ProtocolError('a rows event has no number of columns');
  const bitmapBytes = (columnCount + 7) >> 3;
  into.columnCount = columnCount;
  into.bitmap = at;
  at += bitmapBytes;
  into.newBitmap = into.bitmap;
  if (isUpdate(type)) {
    into.newBitmap = at;
    at += bitmapBytes;
  }
  if (at > end) throw new ProtocolError('a rows event ends inside of its bitmaps');
  into.firstRow = at;
}
