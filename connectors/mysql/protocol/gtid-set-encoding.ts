import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { GtidSet, UUID_CHARACTERS } from './gtid-set.ts';
import type { Intervals } from './intervals.ts';
import { ProtocolError } from './protocol-error.ts';
import { readUuid } from './uuid.ts';
import { appendVarlen, readVarlen } from './varlen.ts';

const UUID_BYTES = 16;
const INTERVAL_BYTES = 16;
/** The highest byte of the count says which of the two formats follows. */
const PLAIN = 0;
const TAGGED = 1;

/**
 * The binary form of a set, in COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS: a count of sources, then of each the UUID, where
 * any has a tag the tag, and its intervals as first number and number behind the last. Servers before 8.3 know only the
 * form without tags, which is used wherever there are none.
 */
export function encodeGtidSet(set: GtidSet): Buffer {
  const sources = set.sources();
  const tagged = sources.some(([source]) => source.length > UUID_CHARACTERS);
  const parts: Buffer[] = [encodeCount(sources.length, tagged)];
  for (const [source, intervals] of sources) {
    parts.push(Buffer.from(source.slice(0, UUID_CHARACTERS).replaceAll('-', ''), 'hex'));
    if (tagged) parts.push(encodeTag(source.slice(UUID_CHARACTERS + 1)));
    parts.push(encodeIntervals(intervals));
  }
  return Buffer.concat(parts);
}

/** In the tagged format the count lies one byte higher, so that a reader of the plain one finds an impossible number. */
function encodeCount(count: number, tagged: boolean): Buffer {
  const bytes = Buffer.alloc(8);
  if (!tagged) {
    bytes.writeUInt32LE(count, 0);
    return bytes;
  }
  bytes[0] = TAGGED;
  bytes.writeUInt32LE(count, 1);
  bytes[7] = TAGGED;
  return bytes;
}

function encodeTag(tag: string): Buffer {
  const head: number[] = [];
  appendVarlen(tag.length, head);
  return Buffer.concat([Buffer.from(head), Buffer.from(tag, 'latin1')]);
}

function encodeIntervals(intervals: Intervals): Buffer {
  const bytes = Buffer.alloc(8 + (intervals.length / 2) * INTERVAL_BYTES);
  bytes.writeUInt32LE(intervals.length / 2, 0);
  for (let index = 0; index < intervals.length; index += 2) {
    writeUint64(bytes, intervals[index] as number, 8 + index * 8);
    writeUint64(bytes, (intervals[index + 1] as number) + 1, 16 + index * 8);
  }
  return bytes;
}

function writeUint64(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 0x1_0000_0000, at);
  bytes.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

/** PREVIOUS_GTIDS_LOG_EVENT: what was executed before the file began. */
export function parsePreviousGtids(bytes: Buffer, start: number, end: number): GtidSet {
  return decodeGtidSet(bytes, start + HEADER_BYTES, end);
}

export function decodeGtidSet(bytes: Buffer, start: number, end: number): GtidSet {
  const reader = new ByteReader(bytes, start, end);
  const countAt = reader.skip(8);
  const format = bytes[countAt + 7] as number;
  if (format !== PLAIN && format !== TAGGED) throw new ProtocolError(`a GTID set is of the unknown format ${format}`);
  const tagged = format === TAGGED;
  const count = tagged ? bytes.readUIntLE(countAt + 1, 6) : bytes.readUIntLE(countAt, 6);
  if (count * (UUID_BYTES + 8) > reader.remaining) throw new ProtocolError('a GTID set ends before its last source');
  const sources = new Map<string, Intervals>();
  for (let index = 0; index < count; index++) {
    const uuid = readUuid(reader);
    const tag = tagged ? reader.utf8(readVarlen(reader)) : '';
    const intervals = readIntervals(reader);
    if (intervals.length > 0) sources.set(tag === '' ? uuid : `${uuid}:${tag}`, intervals);
  }
  if (reader.remaining > 0) throw new ProtocolError('a GTID set is longer than its content');
  return new GtidSet(sources);
}

function readIntervals(reader: ByteReader): Intervals {
  const count = reader.uint64();
  if (count * INTERVAL_BYTES > reader.remaining) throw new ProtocolError('a GTID set ends before its last interval');
  const intervals: number[] = [];
  let last = 0;
  for (let index = 0; index < count; index++) {
    const first = reader.uint64();
    const behind = reader.uint64();
    if (first <= last || behind <= first) throw new ProtocolError('the intervals of a GTID set are out of order');
    intervals.push(first, behind - 1);
    last = behind;
  }
  return intervals;
}
