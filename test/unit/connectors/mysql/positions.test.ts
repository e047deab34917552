import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogPlace } from '../../../../connectors/mysql/log-place.ts';
import { logPointKey, mysqlPositions } from '../../../../connectors/mysql/positions.ts';
import { EventType } from '../../../../connectors/mysql/protocol/binlog-event.ts';

describe('positions', () => {
  it('are text that gives them back', () => {
    const mysql = ['binlog.000012:4567;0', 'a:b.000001:4;3;3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:7', ':0;1'];
    for (const text of mysql) assert.equal(mysqlPositions('mysql').encode(mysqlPositions('mysql').decode(text)), text);
    const text = 'mariadb-bin.000002:99;0;0-1-5,1-2-7';
    assert.equal(mysqlPositions('mariadb').encode(mysqlPositions('mariadb').decode(text)), text);
  });

  it('that are none are refused', () => {
    for (const text of [
      '',
      'binlog.000012',
      'binlog.000012:x;0',
      'binlog.000012:4',
      'binlog.000012:4;0;nonsense',
      'f:4;0;;',
    ]) {
      assert.throws(() => mysqlPositions('mysql').decode(text), { code: 'MYSQL_POSITION_MALFORMED' }, text);
    }
  });

  it('sort as the log does: servers, then files by number, then bytes', () => {
    const keys = [
      logPointKey(0, 'binlog.000009', 999_999_999),
      logPointKey(0, 'binlog.000010', 4),
      logPointKey(0, 'binlog.999999', 4),
      logPointKey(0, 'binlog.1000000', 4),
      logPointKey(0, 'binlog.1000000', 5_000_000_000),
      logPointKey(1, 'binlog.000001', 4),
    ];
    assert.deepEqual([...keys].sort(), keys);
  });
});

/** The header of an event: only its size and the next position count here. */
function header(size: number, next: number, flags = 0): Buffer {
  const bytes = Buffer.alloc(19);
  bytes.writeUInt32LE(size, 9);
  bytes.writeUInt32LE(next, 13);
  bytes.writeUInt16LE(flags, 17);
  return bytes;
}

describe('the place in the log', () => {
  const from = (pos: number) => new LogPlace({ file: 'binlog.000001', pos, gtids: null, epoch: 0 });

  it('goes on beyond the 32 bits of the header', () => {
    const place = from(4_294_967_200);
    assert.equal(place.pass(header(200, 4_294_967_400 % 2 ** 32), 0, EventType.query, 0, 0), 4_294_967_200);
    assert.equal(place.position, 4_294_967_400);
    assert.equal(place.pass(header(50, 154), 0, EventType.query, 0, 0), 4_294_967_400);
    assert.equal(place.position, 4_294_967_450);
  });

  it('adds sizes up where the server leaves positions out', () => {
    const place = from(1000);
    assert.equal(place.pass(header(40, 0), 0, EventType.tableMap, 0, 0), 1000);
    assert.equal(place.pass(header(60, 0), 0, EventType.writeRowsV1, 0, 0), 1040);
    assert.equal(place.pass(header(31, 1131), 0, EventType.xid, 0, 0), 1100);
    assert.equal(place.position, 1131);
  });

  it('does not move for what the server makes up', () => {
    const place = from(1000);
    place.pass(header(44, 0, 0x20), 0, EventType.rotate, 0, 0);
    place.pass(header(120, 0), 0, EventType.formatDescription, 0, 0);
    assert.equal(place.position, 1000);
  });

  it('stays before a compressed transaction until its last event', () => {
    const place = from(1000);
    assert.equal(place.pass(header(40, 0), 0, EventType.tableMap, 1, 5000), 1000);
    assert.equal(place.position, 1000);
    assert.equal(place.pass(header(40, 0), 0, EventType.xid, 2, 5000), 1000);
    assert.equal(place.position, 5000);
  });
});
