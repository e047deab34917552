import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isCompressed, uncompressEvent } from '../../../../../connectors/mysql/compressed-event.ts';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import {
  countPresent,
  decimalBytes,
  isSet,
  type RowLayout,
  rowLayoutOf,
  scanRow,
} from '../../../../../connectors/mysql/protocol/row-layout.ts';
import {
  emptyRowsEvent,
  isUpdate,
  parseRowsEvent,
  rowsTableId,
} from '../../../../../connectors/mysql/protocol/rows-event.ts';
import { NO_OPTIONAL_METADATA, type TableMap } from '../../../../../connectors/mysql/protocol/table-map.ts';
import { parseTableMap } from '../../../../../connectors/mysql/protocol/table-map-event.ts';
import { dialectOf, eventOf, RECORDINGS, stepsOf } from '../../../../fixtures/mysql/recorded.ts';

/** Sizes of the images of a rows event. */
function imagesOf(event: Buffer, layout: RowLayout): number[] {
  const rows = emptyRowsEvent();
  parseRowsEvent(event, 0, event.length, rows);
  assert.equal(rows.columnCount, layout.columnCount);
  const sizes: number[] = [];
  for (let at = rows.firstRow; at < event.length; ) {
    const isNew = isUpdate(event[4] as number) && sizes.length % 2 === 1;
    const end = scanRow(event, at, event.length, layout, isNew ? rows.newBitmap : rows.bitmap);
    sizes.push(end - at);
    at = end;
  }
  return sizes;
}

function layoutOfMap(map: Pick<TableMap, 'types' | 'metadata'>): RowLayout {
  const nullable = new Uint8Array(map.types.length);
  return rowLayoutOf({ tableId: 1, database: 'd', table: 't', nullable, optional: NO_OPTIONAL_METADATA, ...map });
}

test('the images of every recorded event fill it to its end', () => {
  let images = 0;
  for (const recording of RECORDINGS) {
    for (const [step, events] of stepsOf(recording)) {
      const layouts = new Map<number, RowLayout>();
      for (const recorded of events) {
        const type = recorded[4] as number;
        if (type === EventType.tableMap) {
          const map = parseTableMap(recorded, 0, recorded.length, dialectOf(recording));
          layouts.set(map.tableId, rowLayoutOf(map));
        }
        const isRows = (type >= 23 && type <= 25) || (type >= 30 && type <= 32) || (type >= 166 && type <= 171);
        if (!isRows) continue;
        const layout = layouts.get(rowsTableId(recorded, 0, recorded.length));
        assert.ok(layout !== undefined, `${recording}, ${step}`);
        const event = isCompressed(type) ? uncompressEvent(recorded, 0, recorded.length, 1_000_000) : recorded;
        images += imagesOf(event, layout).length;
      }
    }
  }
  assert.ok(images > 80, String(images));
});

test('how long the values of a row are', () => {
  // t tu s su m mu y i iu b bu f fu d n nu b1 b9 b64 bool
  const numbers = [1, 1, 2, 2, 3, 3, 1, 4, 4, 8, 8, 4, 4, 8, 5, 30, 1, 2, 8, 1];
  for (const recording of RECORDINGS) {
    const event = eventOf(recording, 'numbers', EventType.tableMap);
    assert.deepEqual([...rowLayoutOf(parseTableMap(event, 0, event.length, dialectOf(recording))).widths], numbers);
    const texts = eventOf(recording, 'texts', EventType.tableMap);
    assert.deepEqual(
      [...rowLayoutOf(parseTableMap(texts, 0, texts.length, dialectOf(recording))).widths],
      [-1, -2, -1, -1, -2, -2, -1, -2, -3, -4, -1, -2, -3, -4, 1, 1, 1],
    );
    const times = eventOf(recording, 'times', EventType.tableMap);
    assert.deepEqual(
      [...rowLayoutOf(parseTableMap(times, 0, times.length, dialectOf(recording))).widths],
      [3, 3, 4, 5, 6, 5, 6, 8, 4, 6, 7],
    );
  }
});

test('types that only tables of old servers have', () => {
  const types = Uint8Array.from([7, 11, 12, 14, 248, 253, 6]);
  const metadata = Uint16Array.from([0, 0, 0, 0, 8, 256, 0]);
  assert.deepEqual([...layoutOfMap({ types, metadata }).widths], [4, 3, 8, 3, 8, -2, 0]);
});

test('types whose length is not known are refused', () => {
  for (const [type, metadata] of [
    [0, 0],
    [20, 0],
    [243, 0],
    [252, 5],
    [252, 0],
    [247, 0],
    [18, 7],
    [246, 0],
    [246, (66 << 8) | 2],
    [246, (10 << 8) | 11],
  ] as const) {
    const map = { types: Uint8Array.of(type), metadata: Uint16Array.of(metadata) };
    assert.throws(() => layoutOfMap(map), ProtocolError, `${type} ${metadata}`);
  }
});

// "Decimal column characteristics" of the manual.
test('bytes of a DECIMAL', () => {
  assert.equal(decimalBytes(18, 9), 8);
  assert.equal(decimalBytes(20, 6), 10);
  assert.equal(decimalBytes(65, 30), 30);
  assert.equal(decimalBytes(1, 0), 1);
  assert.equal(decimalBytes(1, 1), 1);
  assert.equal(decimalBytes(9, 0), 4);
});

test('a row that is cut off anywhere is refused', () => {
  const mapEvent = eventOf('mysql-9.7', 'texts', EventType.tableMap);
  const layout = rowLayoutOf(parseTableMap(mapEvent, 0, mapEvent.length, 'mysql'));
  const event = eventOf('mysql-9.7', 'texts', EventType.writeRows);
  const rows = emptyRowsEvent();
  parseRowsEvent(event, 0, event.length, rows);
  const end = scanRow(event, rows.firstRow, event.length, layout, rows.bitmap);
  for (let cut = rows.firstRow; cut < end; cut++) {
    assert.throws(() => scanRow(event, rows.firstRow, cut, layout, rows.bitmap), ProtocolError);
  }
  assert.equal(scanRow(event, rows.firstRow, end, layout, rows.bitmap), end);
});

test('columns that are present are counted, and no bit beyond them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.integer({ min: 0, max: 40 }), (bytes, columns) => {
      const bitmap = Buffer.from(bytes);
      const present = Array.from({ length: columns }, (_, column) => isSet(bitmap, 1, column)).filter(Boolean);
      assert.equal(countPresent(bitmap, 1, columns), present.length);
    }),
  );
});
