import { EventType, eventType, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { Gtid } from './gtid.ts';
import type { GtidSources } from './gtid-sources.ts';
import { ProtocolError } from './protocol-error.ts';
import { uuidText } from './uuid.ts';
import { readSignedVarlen, readVarlen, skipVarlen } from './varlen.ts';

/** GTID, GTID_TAGGED and ANONYMOUS_GTID events of MySQL: the beginning of a transaction, and when it was committed. */
export interface GtidEvent {
  /** Null of an anonymous transaction. */
  readonly gtid: Gtid | null;
  /** Microseconds since 1970 at which this server committed it; null of servers before 8.0.1. */
  readonly immediateCommitUs: number | null;
  /** The same on the server where it was made; null of servers before 8.0.1. */
  readonly originalCommitUs: number | null;
  /** Bytes of the transaction in the file, this event included; null of servers before 8.0.2. */
  readonly transactionLength: number | null;
}

/** The highest bit of the first of two commit times says that the second follows. */
const HAS_ORIGINAL = 0x80_0000;
/** G_COMMIT_TS2: two logical times follow. */
const LOGICAL_TIMES = 2;
const LOGICAL_TIMES_BYTES = 16;
const COMMIT_TIME_BYTES = 7;

/** @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Gtid__event.html */
export function parseGtid(bytes: Buffer, start: number, end: number, sources: GtidSources): GtidEvent {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const type = eventType(bytes, start);
  if (type === EventType.gtidTagged) return parseTagged(reader);
  reader.uint8();
  const uuidAt = reader.skip(16);
  return parsePlain(reader, type === EventType.anonymousGtid ? null : sources.ofUuid(bytes, uuidAt));
}

/**
 * Every server version appended a field; what is missing at the end was not known to the one that wrote it.
 * @param uuid null of an anonymous transaction
 */
function parsePlain(reader: ByteReader, uuid: string | null): GtidEvent {
  const number = reader.uint64();
  let immediateCommitUs: number | null = null;
  let originalCommitUs: number | null = null;
  let transactionLength: number | null = null;
  if (reader.remaining > 0 && reader.uint8() === LOGICAL_TIMES) {
    reader.skip(LOGICAL_TIMES_BYTES);
    if (reader.remaining >= COMMIT_TIME_BYTES) {
      const low = reader.uint32();
      const high = reader.uint24();
      immediateCommitUs = time(high & ~HAS_ORIGINAL, low);
      originalCommitUs = (high & HAS_ORIGINAL) === 0 ? immediateCommitUs : reader.uint56();
      if (reader.remaining > 0) transactionLength = reader.lengthEncoded();
    }
  }
  const gtid = uuid === null ? null : gtidOf(uuid, number);
  return { gtid, immediateCommitUs, originalCommitUs, transactionLength };
}

/** The fields of `Gtid_event::define_fields`, by their place in it. */
const Field = {
  uuid: 1,
  number: 2,
  tag: 3,
  immediateCommit: 6,
  originalCommit: 7,
  transactionLength: 8,
  /** commit_group_ticket */
  last: 11,
} as const;
const SERIALIZATION_VERSION = 1;

/**
 * A message of the server's serialization library: version, size, the last field that must be known, then the fields.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html
 */
function parseTagged(reader: ByteReader): GtidEvent {
  const version = readVarlen(reader);
  if (version > SERIALIZATION_VERSION) throw new ProtocolError(`a tagged GTID is of the unknown format ${version}`);
  readVarlen(reader);
  const lastNeeded = readVarlen(reader);
  if (lastNeeded > Field.last) throw new ProtocolError(`a tagged GTID has the unknown field ${lastNeeded}`);
  let uuid: string | null = null;
  let tag = '';
  let number = 0;
  let immediateCommitUs: number | null = null;
  let originalCommitUs: number | null = null;
  let transactionLength: number | null = null;
  while (reader.remaining > 0) {
    const field = readVarlen(reader);
    // Fields come in order and do not say how long they are: behind one of a newer server nothing is known.
    if (field > Field.last) break;
    if (field === Field.uuid) uuid = readVarlenUuid(reader);
    else if (field === Field.number) number = readSignedVarlen(reader);
    else if (field === Field.tag) tag = reader.utf8(readVarlen(reader));
    else if (field === Field.immediateCommit) immediateCommitUs = readVarlen(reader);
    else if (field === Field.originalCommit) originalCommitUs = readVarlen(reader);
    else if (field === Field.transactionLength) transactionLength = readVarlen(reader);
    else skipVarlen(reader);
  }
  if (uuid === null) throw new ProtocolError('a tagged GTID has no UUID');
  originalCommitUs ??= immediateCommitUs;
  return {
    gtid: gtidOf(tag === '' ? uuid : `${uuid}:${tag}`, number),
    immediateCommitUs,
    originalCommitUs,
    transactionLength,
  };
}

/** An array of bytes is written as that many numbers: those from 128 on take two bytes. */
function readVarlenUuid(reader: ByteReader): string {
  let hex = '';
  for (let index = 0; index < 16; index++) {
    const byte = readVarlen(reader);
    if (byte > 0xff) throw new ProtocolError('a UUID has a byte beyond 255');
    hex += byte.toString(16).padStart(2, '0');
  }
  return uuidText(hex);
}

function gtidOf(source: string, number: number): Gtid {
  if (number < 1) throw new ProtocolError(`a GTID has the number ${number}`);
  return new Gtid(source, ':', number);
}

function time(high: number, low: number): number {
  if (high >= 0x20_0000) throw new ProtocolError('a commit time is beyond 2^53');
  return high * 0x1_0000_0000 + low;
}
