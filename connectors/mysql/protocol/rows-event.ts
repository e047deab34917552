import { checkHeader, EventType, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ProtocolError } from './protocol-error.ts';
import { countPresent } from './row-layout.ts';

/** The head of a rows event. Reused from event to event: read before the next one is parsed. */
export interface RowsEvent {
  tableId: number;
  columnCount: number;
  /** Where the bitmaps of the columns in the images start; the second is that of the new image of an update, else the first. */
  bitmap: number;
  newBitmap: number;
  firstRow: number;
  /**
   * The event is one row that has no bytes: MySQL's `INSERT INTO t VALUES ()` where binlog_row_image is MINIMAL. `firstRow`
   * is the end of the event then, and every column is absent.
   */
  isEmptyRow: boolean;
}

export function emptyRowsEvent(): RowsEvent {
  return { tableId: 0, columnCount: 0, bitmap: 0, newBitmap: 0, firstRow: 0, isEmptyRow: false };
}

/** A rows event of this id only closes a statement: it has neither a table nor rows. 48 ones; no table gets that id. */
export const DUMMY_TABLE_ID = 2 ** 48 - 1;

/** STMT_END_F: the table maps so far are void after this event. */
const STATEMENT_END = 1;

export function isUpdate(type: number): boolean {
  return type === EventType.updateRows || type === EventType.updateRowsV1;
}

/** The table of any rows event of versions 1 and 2, compressed (MariaDB) and partial ones too. */
export function rowsTableId(bytes: Buffer, start: number, end: number): number {
  if (start + HEADER_BYTES + 8 > end) throw new ProtocolError('a rows event ends inside of its head');
  return bytes.readUIntLE(start + HEADER_BYTES, 6);
}

/** Whether the event is the last of its statement; for what `rowsTableId` takes. */
export function endsStatement(bytes: Buffer, start: number, end: number): boolean {
  if (start + HEADER_BYTES + 8 > end) throw new ProtocolError('a rows event ends inside of its head');
  return (bytes.readUInt16LE(start + HEADER_BYTES + 6) & STATEMENT_END) !== 0;
}

/**
 * WRITE_ROWS, UPDATE_ROWS and DELETE_ROWS events of versions 1 and 2, as they are after `uncompressEvent`. Those of before
 * 5.1.16 are refused; of PARTIAL_UPDATE_ROWS only the head is alike, its rows have another form.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Rows__event.html
 */
export function parseRowsEvent(bytes: Buffer, start: number, end: number, into: RowsEvent): void {
  checkHeader(start, end);
  const type = eventType(bytes, start);
  const isKnown =
    (type >= EventType.writeRows && type <= EventType.deleteRows) ||
    (type >= EventType.writeRowsV1 && type <= EventType.deleteRowsV1) ||
    type === EventType.partialUpdateRows;
  if (!isKnown) throw new ProtocolError(`an event of type ${type} has no rows that are known`);
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
  if (isUpdate(type) || type === EventType.partialUpdateRows) {
    into.newBitmap = at;
    at += bitmapBytes;
  }
  if (at > end) throw new ProtocolError('a rows event ends inside of its bitmaps');
  into.firstRow = at;
  const hasColumns =
    countPresent(bytes, into.bitmap, columnCount) > 0 ||
    (into.newBitmap !== into.bitmap && countPresent(bytes, into.newBitmap, columnCount) > 0);
  // They would have no bytes: stepping through them would not end.
  if (!hasColumns && at < end) throw new ProtocolError('a rows event has rows without columns');
  into.isEmptyRow = !hasColumns && into.tableId !== DUMMY_TABLE_ID;
}
