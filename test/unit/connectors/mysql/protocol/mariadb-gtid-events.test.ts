import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { GtidSources } from '../../../../../connectors/mysql/protocol/gtid-sources.ts';
import {
  type MariadbGtidEvent,
  parseGtidList,
  parseMariadbGtid,
} from '../../../../../connectors/mysql/protocol/mariadb-gtid-events.ts';
import { eventOf, type Recording } from '../../../../fixtures/mysql/recorded.ts';

function parse(recording: Recording, step: string, index = 0): MariadbGtidEvent {
  const event = eventOf(recording, step, EventType.mariadbGtid, index);
  return parseMariadbGtid(event, 0, event.length, new GtidSources());
}

const MARIADB: readonly Recording[] = ['mariadb-11.8', 'mariadb-10.11'];

test('statements that end themselves, and transactions', () => {
  for (const recording of MARIADB) {
    const ddl = parse(recording, 'numbers', 0);
    assert.deepEqual([ddl.standalone, ddl.transactional, ddl.ddl], [true, false, true]);
    const rows = parse(recording, 'numbers', 1);
    assert.deepEqual([rows.standalone, rows.transactional, rows.ddl], [false, true, false]);
    assert.equal(rows.gtid.number, ddl.gtid.number + 1);
    assert.equal(rows.gtid.source, '0-1011');
    assert.equal(rows.gtid.text, `0-1011-${rows.gtid.number}`);
    assert.equal(rows.xid, null);
    assert.equal(rows.alter, null);
  }
});

test('the connection, where the server says it', () => {
  const query = eventOf('mariadb-11.8', 'numbers', EventType.query);
  assert.equal(parse('mariadb-11.8', 'numbers').threadId, query.readUInt32LE(19));
  assert.equal(parse('mariadb-10.11', 'numbers').threadId, null);
});

test('XA transactions, prepared and decided', () => {
  for (const recording of MARIADB) {
    const [prepared, committed] = [parse(recording, 'xa commit', 0), parse(recording, 'xa commit', 1)];
    assert.deepEqual([prepared.preparedXa, prepared.completedXa], [true, false]);
    assert.deepEqual([committed.preparedXa, committed.completedXa], [false, true]);
    assert.equal(prepared.xid, "X'677427726964',X'6271',7");
    assert.equal(committed.xid, prepared.xid);
    assert.equal(parse(recording, 'xa rollback', 1).xid, "X'6f6e6c79',X'',1");
    assert.equal(parse(recording, 'xa one phase').xid, null);
  }
});

test('an ALTER TABLE that is logged in two', () => {
  for (const recording of MARIADB) {
    assert.equal(parse(recording, 'alter in two', 0).alter, 'start');
    assert.equal(parse(recording, 'alter in two', 1).alter, 'commit');
  }
});

test('another domain, a number beyond 2^32, and the list of a new file', () => {
  for (const recording of MARIADB) {
    const { gtid } = parse(recording, 'domain');
    assert.deepEqual([gtid.source, gtid.number, gtid.text], ['3-1011', 4_294_967_301, '3-1011-4294967301']);
    const list = eventOf(recording, 'gtid list', EventType.mariadbGtidList);
    const texts = parseGtidList(list, 0, list.length).map(({ text }) => text);
    assert.ok(texts.includes('3-1011-4294967301'));
    assert.equal(texts.length, 2);
  }
});

test('a commit id is stepped over', () => {
  const event = Buffer.from(eventOf('mariadb-11.8', 'xa commit', EventType.mariadbGtid));
  const grouped = Buffer.concat([event.subarray(0, 32), Buffer.alloc(8, 0xaa), event.subarray(32)]);
  grouped[31] = (event[31] as number) | 2;
  assert.deepEqual(parseMariadbGtid(grouped, 0, grouped.length, new GtidSources()), parse('mariadb-11.8', 'xa commit'));
});
