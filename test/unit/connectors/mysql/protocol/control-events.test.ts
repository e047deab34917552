import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import { EventType, eventNextPosition, eventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { parseFormatDescription } from '../../../../../connectors/mysql/protocol/format-description.ts';
import { parseHeartbeat } from '../../../../../connectors/mysql/protocol/heartbeat.ts';
import { parseIncident } from '../../../../../connectors/mysql/protocol/incident.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { parseQuery } from '../../../../../connectors/mysql/protocol/query-event.ts';
import { parseRotate } from '../../../../../connectors/mysql/protocol/rotate.ts';
import { parseRowsQuery } from '../../../../../connectors/mysql/protocol/rows-query.ts';
import { parseTransactionPayload } from '../../../../../connectors/mysql/protocol/transaction-payload.ts';
import { eventOf, RECORDINGS } from '../../../../fixtures/mysql/recorded.ts';

const whole = <T>(parse: (bytes: Buffer, start: number, end: number) => T, event: Buffer): T =>
  parse(event, 0, event.length);

test('the server and its checksums, from the format description itself', () => {
  for (const [recording, version] of [
    ['mysql-9.7', /^9\.7\./],
    ['mysql-5.6', /^5\.6\.24-log$/],
    ['mariadb-11.8', /^11\.8\.\d+-MariaDB/],
    ['mariadb-10.11', /^10\.11\.\d+-MariaDB/],
  ] as const) {
    const event = eventOf(recording, 'rotate', EventType.formatDescription);
    const format = whole(parseFormatDescription, event);
    assert.match(format.serverVersion, version);
    assert.equal(format.checksum, 'crc32');
    const without = Buffer.from(event);
    without[event.length - 5] = 0;
    assert.equal(whole(parseFormatDescription, without).checksum, 'none');
    without[event.length - 5] = 2;
    assert.throws(() => whole(parseFormatDescription, without), ProtocolError);
  }
});

test('format descriptions of servers that know no checksums, or hide their version', () => {
  const event = eventOf('mysql-5.6', 'rotate', EventType.formatDescription);
  const named = (name: string): Buffer => {
    const copy = Buffer.from(event);
    copy.fill(0, 21, 71);
    copy.write(name, 21);
    return copy;
  };
  assert.equal(whole(parseFormatDescription, named('5.5.62-log').subarray(0, -5)).checksum, 'none');
  assert.equal(whole(parseFormatDescription, named('5.6.0')).checksum, 'none');
  assert.equal(whole(parseFormatDescription, named('5.6.1')).checksum, 'crc32');
  assert.equal(whole(parseFormatDescription, named('5.5.68-MariaDB')).checksum, 'crc32');
  assert.equal(whole(parseFormatDescription, named('5.5.5-10.6.12-MariaDB')).checksum, 'crc32');
  assert.equal(whole(parseFormatDescription, named('8.0.mysql_aurora.3.08.0')).checksum, 'crc32');
});

test('event layouts that are not known are refused', () => {
  const event = eventOf('mysql-9.7', 'rotate', EventType.formatDescription);
  const tableMap = Buffer.from(event);
  // Table ids of 4 bytes, as before MySQL 5.1.4.
  tableMap[19 + 57 + EventType.tableMap - 1] = 6;
  assert.throws(() => whole(parseFormatDescription, tableMap), ProtocolError);
  const version = Buffer.from(event);
  version[19] = 3;
  assert.throws(() => whole(parseFormatDescription, version), ProtocolError);
});

test('rotation', () => {
  for (const recording of RECORDINGS) {
    const { file, position } = whole(parseRotate, eventOf(recording, 'rotate', EventType.rotate, 1));
    assert.match(file, /^binlog\.\d{6}$/);
    assert.equal(position, 4);
  }
});

test('heartbeats of either kind say where the sender is', () => {
  for (const recording of RECORDINGS) {
    const event = eventOf(recording, 'heartbeat', EventType.heartbeat);
    const { file, position } = whole(parseHeartbeat, event);
    assert.match(file, /^binlog\.\d{6}$/);
    assert.equal(position, eventNextPosition(event, 0));
  }
  const first = whole(parseHeartbeat, eventOf('mysql-9.7', 'heartbeat', EventType.heartbeat));
  const second = whole(parseHeartbeat, eventOf('mysql-9.7', 'heartbeat v2', EventType.heartbeatV2));
  assert.deepEqual(second, first);
});

test('heartbeats beyond 4 GiB', () => {
  const event = eventOf('mariadb-11.8', 'heartbeat', EventType.heartbeat);
  const large = Buffer.alloc(8);
  large.writeBigUInt64LE(0x1_2345_6789n);
  const heartbeat = Buffer.concat([event.subarray(0, 19), large, event.subarray(19)]);
  heartbeat.writeUInt32LE(0, 13);
  assert.deepEqual(whole(parseHeartbeat, heartbeat), {
    file: whole(parseHeartbeat, event).file,
    position: 0x1_2345_6789,
  });
  const second = eventOf('mysql-9.7', 'heartbeat v2', EventType.heartbeatV2);
  const tlv = Buffer.concat([second.subarray(0, 19), Buffer.from([1, 1, 0x66, 2, 9, 254]), large, Buffer.from([0])]);
  assert.deepEqual(whole(parseHeartbeat, tlv), { file: 'f', position: 0x1_2345_6789 });
});

test('an incident', () => {
  const event = Buffer.concat([Buffer.alloc(19), Buffer.from([1, 0, 4]), Buffer.from('lost')]);
  event[4] = EventType.incident;
  assert.deepEqual(whole(parseIncident, event), { number: 1, message: 'lost' });
  assert.deepEqual(whole(parseIncident, event.subarray(0, 21)), { number: 1, message: '' });
});

test('the statement of rows, longer than its length says', () => {
  const statement = `INSERT /* ${'long '.repeat(60)}ä */ INTO keyed VALUES (9, 'nine', 1)`;
  assert.equal(whole(parseRowsQuery, eventOf('mysql-9.7', 'statement text', EventType.rowsQuery)), statement);
  assert.equal(whole(parseRowsQuery, eventOf('mysql-5.6', 'statement text', EventType.rowsQuery)), statement);
  const annotation = eventOf('mariadb-11.8', 'statement text', EventType.mariadbAnnotateRows);
  assert.equal(whole(parseRowsQuery, annotation), statement);
});

test('a compressed transaction', () => {
  const event = eventOf('mysql-9.7', 'compressed', EventType.transactionPayload);
  const payload = whole(parseTransactionPayload, event);
  assert.equal(payload.compression, 'zstd');
  assert.equal(payload.payloadEnd, event.length);
  const content = zstdDecompressSync(event.subarray(payload.payloadStart, payload.payloadEnd));
  assert.equal(content.length, payload.uncompressedBytes);
  const types: number[] = [];
  for (let at = 0; at < content.length; at += content.readUInt32LE(at + 9)) types.push(eventType(content, at));
  assert.deepEqual(types, [EventType.query, EventType.tableMap, EventType.writeRows, EventType.xid]);
  const begin = parseQuery(content, 0, content.readUInt32LE(9));
  assert.equal(content.toString('utf8', begin.textStart, begin.textEnd), 'BEGIN');
});

test('a transaction that is not compressed, and ones that cannot be read', () => {
  const event = (...body: number[]): Buffer => Buffer.concat([Buffer.alloc(19), Buffer.from(body)]);
  assert.deepEqual(whole(parseTransactionPayload, event(2, 3, 252, 255, 0, 1, 1, 2, 0, 7, 8)), {
    compression: 'none',
    uncompressedBytes: 2,
    payloadStart: 28,
    payloadEnd: 30,
  });
  for (const body of [
    // No end, no size, no algorithm, an unknown one, no uncompressed size, too long, too short.
    [2, 1, 0, 1, 1, 2],
    [2, 1, 0, 3, 1, 2, 0, 7, 8],
    [1, 1, 2, 3, 1, 2, 0, 7, 8],
    [2, 1, 9, 1, 1, 2, 3, 1, 2, 0, 7, 8],
    [2, 1, 0, 1, 1, 2, 0, 7, 8],
    [2, 1, 0, 1, 1, 2, 3, 1, 2, 0, 7, 8, 9],
    [2, 1, 0, 1, 1, 2, 3, 1, 2, 0, 7],
  ]) {
    assert.throws(() => whole(parseTransactionPayload, event(...body)), ProtocolError, body.join());
  }
});
