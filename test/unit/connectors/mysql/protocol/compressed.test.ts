import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { isCompressed, uncompressEvent } from '../../../../../connectors/mysql/compressed-event.ts';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { parseQuery } from '../../../../../connectors/mysql/protocol/query-event.ts';
import { emptyRowsEvent, parseRowsEvent } from '../../../../../connectors/mysql/protocol/rows-event.ts';
import { eventOf } from '../../../../fixtures/mysql/recorded.ts';

const LIMIT = 1_000_000;

test('rows and statements come out as if they had not been compressed', () => {
  for (const recording of ['mariadb-11.8', 'mariadb-10.11'] as const) {
    const insert = eventOf(recording, 'compressed', EventType.mariadbWriteRowsCompressedV1);
    assert.ok(isCompressed(insert[4] as number));
    const rows = uncompressEvent(insert, 0, insert.length, LIMIT);
    assert.equal(rows[4], EventType.writeRowsV1);
    const head = emptyRowsEvent();
    parseRowsEvent(rows, 0, rows.length, head);
    assert.equal(head.columnCount, 3);
    // The null bitmap, the id, then the 2,000 bytes of the blob.
    assert.deepEqual(rows.subarray(head.firstRow + 7, head.firstRow + 2007), Buffer.alloc(2000, 'c'));
    const update = eventOf(recording, 'compressed', EventType.mariadbUpdateRowsCompressedV1);
    assert.equal(uncompressEvent(update, 0, update.length, LIMIT)[4], EventType.updateRowsV1);
    const remove = eventOf(recording, 'compressed', EventType.mariadbDeleteRowsCompressedV1);
    assert.equal(uncompressEvent(remove, 0, remove.length, LIMIT)[4], EventType.deleteRowsV1);
    const statement = eventOf(recording, 'compressed', EventType.mariadbQueryCompressed);
    const query = uncompressEvent(statement, 0, statement.length, LIMIT);
    assert.equal(query[4], EventType.query);
    const { textStart, textEnd, database } = parseQuery(query, 0, query.length);
    assert.equal(database, 'recorded');
    const text = `CREATE TABLE long_statement (i INT COMMENT '${'comment '.repeat(40)}')`;
    assert.equal(query.toString('utf8', textStart, textEnd), text);
  }
});

/** A compressed insert of version 2: extra data, one column, content of `length` bytes by its own account. */
function written(content: Uint8Array, length: number, head = 0x82): Buffer {
  const bytes = Buffer.concat([
    Buffer.alloc(19),
    Buffer.from([1, 0, 0, 0, 0, 0, 1, 0, 4, 0, 9, 9, 1, 0xff, head, length >> 8, length & 0xff]),
    content,
  ]);
  bytes[4] = EventType.mariadbWriteRowsCompressed;
  return bytes;
}

test('version 2, with its extra data', () => {
  const content = Buffer.alloc(600, 7);
  const event = written(deflateSync(content), 600);
  const rows = uncompressEvent(event, 0, event.length, LIMIT);
  assert.equal(rows[4], EventType.writeRows);
  const head = emptyRowsEvent();
  parseRowsEvent(rows, 0, rows.length, head);
  assert.deepEqual(rows.subarray(head.firstRow), content);
});

test('what is too large, damaged or not as long as it says is refused', () => {
  const content = deflateSync(Buffer.alloc(600, 7));
  for (const event of [
    written(content, 601),
    written(content, 599),
    written(content.subarray(0, -4), 600),
    written(Buffer.alloc(20, 1), 600),
    written(content, 600, 0x02),
    written(content, 600, 0x92),
    written(content, 600, 0x80),
    written(content, 600, 0x85),
  ]) {
    assert.throws(() => uncompressEvent(event, 0, event.length, LIMIT), ProtocolError);
  }
  const event = written(content, 600);
  assert.throws(() => uncompressEvent(event, 0, event.length, 599), ProtocolError);
});
