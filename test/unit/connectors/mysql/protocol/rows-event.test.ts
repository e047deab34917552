import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType, HEADER_BYTES } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import {
  DUMMY_TABLE_ID,
  emptyRowsEvent,
  endsStatement,
  parseRowsEvent,
  type RowsEvent,
  rowsTableId,
} from '../../../../../connectors/mysql/protocol/rows-event.ts';
import { eventOf } from '../../../../fixtures/mysql/recorded.ts';

function headOf(event: Buffer): RowsEvent {
  const rows = emptyRowsEvent();
  parseRowsEvent(event, 0, event.length, rows);
  return rows;
}

const NONE = emptyRowsEvent();

test('version 2 has extra data, version 1 has none', () => {
  const second = headOf(eventOf('mysql-9.7', 'transaction', EventType.writeRows));
  assert.deepEqual({ ...second, tableId: 0 }, { ...NONE, columnCount: 3, bitmap: 30, newBitmap: 30, firstRow: 31 });
  const first = headOf(eventOf('mariadb-11.8', 'transaction', EventType.writeRowsV1));
  assert.deepEqual({ ...first, tableId: 0 }, { ...NONE, columnCount: 3, bitmap: 28, newBitmap: 28, firstRow: 29 });
  // The partition is in the extra data.
  assert.equal(headOf(eventOf('mysql-9.7', 'partitioned', EventType.writeRows)).bitmap, 33);
  assert.equal(headOf(eventOf('mysql-9.7', 'partitioned', EventType.updateRows)).bitmap, 35);
});

test('an update has a bitmap for each image', () => {
  for (const [recording, type] of [
    ['mysql-9.7', EventType.updateRows],
    ['mariadb-11.8', EventType.updateRowsV1],
  ] as const) {
    const event = eventOf(recording, 'minimal image', type);
    const rows = headOf(event);
    // PRIMARY KEY (c, a); the second column is what changes.
    assert.equal((event[rows.bitmap] as number) & 7, 0b101);
    assert.equal((event[rows.newBitmap] as number) & 7, 0b010);
    assert.equal(rows.firstRow, rows.newBitmap + 1);
  }
});

test('more than 250 columns', () => {
  const rows = headOf(eventOf('mysql-9.7', 'wide', EventType.writeRows));
  assert.equal(rows.columnCount, 300);
  assert.equal(rows.firstRow - rows.bitmap, 38);
});

test('the table of any rows event, and whether its statement ends', () => {
  const first = eventOf('mysql-9.7', 'partitioned', EventType.writeRows, 0);
  const second = eventOf('mysql-9.7', 'partitioned', EventType.writeRows, 1);
  assert.equal(rowsTableId(first, 0, first.length), headOf(first).tableId);
  assert.equal(endsStatement(first, 0, first.length), false);
  assert.equal(endsStatement(second, 0, second.length), true);
  const map = eventOf('mysql-9.7', 'partial json', EventType.tableMap);
  const partial = eventOf('mysql-9.7', 'partial json', EventType.partialUpdateRows);
  assert.equal(rowsTableId(partial, 0, partial.length), map.readUIntLE(HEADER_BYTES, 6));
  const compressed = eventOf('mariadb-11.8', 'compressed', EventType.mariadbUpdateRowsCompressedV1);
  const compressedMap = eventOf('mariadb-11.8', 'compressed', EventType.tableMap);
  assert.equal(rowsTableId(compressed, 0, compressed.length), compressedMap.readUIntLE(HEADER_BYTES, 6));
});

test('a row without a column is a row, and the bytes behind no columns are none', () => {
  for (const recording of ['mysql-9.7', 'mysql-5.6'] as const) {
    const event = eventOf(recording, 'empty row', EventType.writeRows);
    const rows = headOf(event);
    assert.equal(rows.columnCount, 2);
    assert.equal(rows.firstRow, event.length);
    assert.equal(rows.isEmptyRow, true);
    assert.throws(() => headOf(Buffer.concat([event, Buffer.from([0])])), ProtocolError);
    const dummy = Buffer.from(event);
    dummy.fill(0xff, HEADER_BYTES, HEADER_BYTES + 6);
    assert.equal(headOf(dummy).tableId, DUMMY_TABLE_ID);
    assert.equal(headOf(dummy).isEmptyRow, false);
  }
  assert.equal(headOf(eventOf('mysql-9.7', 'minimal image', EventType.writeRows)).isEmptyRow, false);
  const mariadb = eventOf('mariadb-11.8', 'empty row', EventType.writeRowsV1);
  assert.equal(headOf(mariadb).isEmptyRow, false);
});

test('the head of a partial update', () => {
  const event = eventOf('mysql-9.7', 'partial json', EventType.partialUpdateRows);
  const rows = headOf(event);
  assert.equal(rows.columnCount, 2);
  assert.equal(rows.newBitmap, rows.bitmap + 1);
});

test('rows of other forms are refused', () => {
  const event = Buffer.from(eventOf('mysql-9.7', 'transaction', EventType.writeRows));
  for (const type of [20, 21, 22, 166, 169, 172]) {
    event[4] = type;
    assert.throws(() => headOf(event), ProtocolError);
  }
});

test('a head that is cut off is refused', () => {
  const event = eventOf('mysql-9.7', 'partitioned', EventType.updateRows);
  const { firstRow } = headOf(event);
  for (let end = 5; end < firstRow; end++) {
    assert.throws(() => parseRowsEvent(event, 0, end, emptyRowsEvent()), ProtocolError, String(end));
  }
});
