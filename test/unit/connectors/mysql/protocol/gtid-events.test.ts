import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventType } from '../../../../../connectors/mysql/protocol/binlog-event.ts';
import { ByteReader } from '../../../../../connectors/mysql/protocol/byte-reader.ts';
import { type GtidEvent, parseGtid } from '../../../../../connectors/mysql/protocol/gtid-events.ts';
import { encodeGtidSet, parsePreviousGtids } from '../../../../../connectors/mysql/protocol/gtid-set-encoding.ts';
import { GtidSources } from '../../../../../connectors/mysql/protocol/gtid-sources.ts';
import { ProtocolError } from '../../../../../connectors/mysql/protocol/protocol-error.ts';
import { readSignedVarlen, readVarlen } from '../../../../../connectors/mysql/protocol/varlen.ts';
import { eventOf, eventsOf } from '../../../../fixtures/mysql/recorded.ts';

const parse = (event: Buffer): GtidEvent => parseGtid(event, 0, event.length, new GtidSources());

/** A commit time in microseconds is that of the header's timestamp in seconds, give or take. */
function assertNear(us: number | null, event: Buffer): void {
  assert.ok(us !== null && Math.abs(us / 1e6 - event.readUInt32LE(0)) < 5);
}

test('a GTID, its times and the bytes of its transaction', () => {
  const events = eventsOf('mysql-9.7', 'transaction');
  const [first, ...others] = events as [Buffer, ...Buffer[]];
  const event = parse(first);
  assert.match(event.gtid?.source ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(event.gtid?.text, `${event.gtid?.source}:${event.gtid?.number}`);
  assertNear(event.immediateCommitUs, first);
  assert.equal(event.originalCommitUs, event.immediateCommitUs);
  // With the checksums that the recording left out.
  const bytes = others.reduce((sum, other) => sum + other.readUInt32LE(9), first.readUInt32LE(9));
  assert.equal(event.transactionLength, bytes);
});

test('a transaction of another server has its own commit time', () => {
  const recorded = eventOf('mysql-9.7', 'given gtid', EventType.gtid);
  const { gtid, immediateCommitUs, originalCommitUs } = parse(recorded);
  const source = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
  assert.deepEqual([gtid?.source, gtid?.number, gtid?.text], [source, 23, `${source}:23`]);
  assert.equal(originalCommitUs, 1_700_000_000_123_456);
  assertNear(immediateCommitUs, recorded);
});

test('tagged GTIDs', () => {
  const own = eventOf('mysql-9.7', 'tagged', EventType.gtidTagged);
  const event = parse(own);
  assert.match(event.gtid?.source ?? '', /^[0-9a-f-]{36}:shop_1$/);
  assert.equal(event.gtid?.number, 1);
  assertNear(event.immediateCommitUs, own);
  assert.equal(event.originalCommitUs, event.immediateCommitUs);
  const bytes = eventsOf('mysql-9.7', 'tagged').reduce((sum, other) => sum + other.readUInt32LE(9), 0);
  assert.equal(event.transactionLength, bytes);
  // Bytes of 128 and more, a number beyond 2^32.
  const given = parse(eventOf('mysql-9.7', 'given tagged gtid', EventType.gtidTagged));
  const source = 'fe11fa47-71ca-11e1-9e33-c80aa942ff62:_tag';
  assert.deepEqual([given.gtid?.source, given.gtid?.number], [source, 4_294_967_301]);
  assert.equal(given.gtid?.text, `${source}:4294967301`);
  assert.equal(given.originalCommitUs, 1_700_000_000_123_456);
});

test('anonymous transactions have times and no GTID', () => {
  const recorded = eventOf('mysql-9.7', 'anonymous', EventType.anonymousGtid);
  const event = parse(recorded);
  assert.equal(event.gtid, null);
  assertNear(event.immediateCommitUs, recorded);
});

test('GTIDs of MySQL 5.6 and 5.7 end earlier', () => {
  const event = eventOf('mysql-9.7', 'transaction', EventType.gtid);
  const none = { immediateCommitUs: null, originalCommitUs: null, transactionLength: null };
  const { gtid } = parse(event);
  assert.deepEqual(parse(event.subarray(0, 19 + 25)), { gtid, ...none });
  assert.deepEqual(parse(event.subarray(0, 19 + 42)), { gtid, ...none });
});

test('a number that is none, and a number beyond 2^53', () => {
  const event = Buffer.from(eventOf('mysql-9.7', 'transaction', EventType.gtid));
  event.fill(0, 19 + 17, 19 + 25);
  assert.throws(() => parse(event), ProtocolError);
  event[19 + 24] = 0x40;
  assert.throws(() => parse(event), ProtocolError);
});

test('a tagged GTID with a field that must be known and is not', () => {
  const event = Buffer.from(eventOf('mysql-9.7', 'tagged', EventType.gtidTagged));
  // Behind the header: version, size, the last field that must be known.
  assert.equal(event[19], 1 << 1);
  event[21] = 12 << 1;
  assert.throws(() => parse(event), ProtocolError);
});

test('what was executed before a file, encoded as the server does', () => {
  const tagged = eventOf('mysql-9.7', 'previous tagged', EventType.previousGtids);
  const set = parsePreviousGtids(tagged, 0, tagged.length);
  assert.ok(set.has('3e11fa47-71ca-11e1-9e33-c80aa9429562', 23));
  assert.ok(set.has('fe11fa47-71ca-11e1-9e33-c80aa942ff62:_tag', 4_294_967_301));
  assert.match(set.toString(), /^3e11fa47-[^,]+:23,[^,]+:1-\d+:shop_1:1,fe11fa47-[^,]+:_tag:4294967301$/);
  assert.deepEqual(encodeGtidSet(set), tagged.subarray(19));
  const plain = eventOf('mysql-9.7', 'rotate', EventType.previousGtids);
  assert.deepEqual(encodeGtidSet(parsePreviousGtids(plain, 0, plain.length)), plain.subarray(19));
});

// The examples of the serialization library's manual, least significant byte first.
test('variable-length integers', () => {
  const unsigned = (...bytes: number[]): number => readVarlen(new ByteReader(Buffer.from(bytes), 0, bytes.length));
  const signed = (...bytes: number[]): number => readSignedVarlen(new ByteReader(Buffer.from(bytes), 0, bytes.length));
  assert.equal(unsigned(0b11111011, 0b11111111, 0b00000111), 65535);
  assert.equal(signed(0b11110011, 0b11111111, 0b00001111), 65535);
  assert.equal(signed(0b11101011, 0b11111111, 0b00001111), -65535);
  assert.equal(signed(0b11111011, 0b11111111, 0b00001111), -65536);
  assert.equal(unsigned(0), 0);
  assert.equal(unsigned(0xfe), 127);
  assert.equal(unsigned(0x01, 0x02), 128);
  assert.equal(unsigned(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0), Number.MAX_SAFE_INTEGER);
  assert.throws(() => unsigned(0xff, 0, 0, 0, 0, 0, 0, 0x20, 0), ProtocolError);
  assert.throws(() => unsigned(0xff, 0, 0, 0, 0, 0, 0, 0), ProtocolError);
});
