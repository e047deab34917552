import { eventServerId, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { Gtid } from './gtid.ts';
import { GtidSources } from './gtid-sources.ts';
import { ProtocolError } from './protocol-error.ts';
import { xidText } from './xa.ts';

/** GTID_EVENT of MariaDB: the beginning of a group of events. */
export interface MariadbGtidEvent {
  readonly gtid: Gtid;
  /** FL_STANDALONE: the group is one statement (and what goes before it), and no COMMIT or XID event ends it. */
  readonly standalone: boolean;
  /** FL_TRANSACTIONAL: can be rolled back. */
  readonly transactional: boolean;
  /** FL_DDL */
  readonly ddl: boolean;
  /** FL_PREPARED_XA: the group ends with an XA_PREPARE event, its rows are not visible yet. */
  readonly preparedXa: boolean;
  /** FL_COMPLETED_XA: the group is an XA COMMIT or XA ROLLBACK. */
  readonly completedXa: boolean;
  /** Which XA transaction, as in XA_PREPARE events; null where it is none. */
  readonly xid: string | null;
  /** The part of an ALTER TABLE that is logged in two (`binlog_alter_two_phase`), else null. */
  readonly alter: 'start' | 'commit' | 'rollback' | null;
  /** Connection that ran it; null of servers before 11.5. */
  readonly threadId: number | null;
}

/** Of the byte `flags2`. */
const Flag = {
  standalone: 1,
  groupCommitId: 2,
  transactional: 4,
  ddl: 32,
  preparedXa: 64,
  completedXa: 128,
} as const;

/** Of the byte `flags_extra`. */
const ExtraFlag = { multiEngine: 1, startAlter: 2, commitAlter: 4, rollbackAlter: 8, threadId: 16 } as const;

const XID_PART_BYTES = 64;

/**
 * What comes behind the flags is there only where they say so; an event shorter than 19 bytes is filled up with zeros.
 * @see https://mariadb.com/kb/en/gtid_event/
 */
export function parseMariadbGtid(bytes: Buffer, start: number, end: number, sources: GtidSources): MariadbGtidEvent {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const number = reader.uint64();
  const domain = reader.uint32();
  const flags = reader.uint8();
  if ((flags & Flag.groupCommitId) !== 0) reader.skip(8);
  const preparedXa = (flags & Flag.preparedXa) !== 0;
  const completedXa = (flags & Flag.completedXa) !== 0;
  const xid = preparedXa || completedXa ? readXid(reader) : null;
  const extra = reader.remaining > 0 ? reader.uint8() : 0;
  if ((extra & ExtraFlag.multiEngine) !== 0) reader.uint8();
  if ((extra & (ExtraFlag.commitAlter | ExtraFlag.rollbackAlter)) !== 0) reader.skip(8);
  const threadId = (extra & ExtraFlag.threadId) === 0 ? null : reader.uint32();
  return {
    gtid: new Gtid(sources.ofDomain(domain, eventServerId(bytes, start)), '-', number),
    standalone: (flags & Flag.standalone) !== 0,
    transactional: (flags & Flag.transactional) !== 0,
    ddl: (flags & Flag.ddl) !== 0,
    preparedXa,
    completedXa,
    xid,
    alter: alterOf(extra),
    threadId,
  };
}

function readXid(reader: ByteReader): string {
  const format = reader.uint32() | 0;
  const gtridLength = reader.uint8();
  const bqualLength = reader.uint8();
  if (gtridLength > XID_PART_BYTES || bqualLength > XID_PART_BYTES) {
    throw new ProtocolError('an xid is longer than 128 bytes');
  }
  return xidText(reader.hex(gtridLength), reader.hex(bqualLength), format);
}

function alterOf(extra: number): MariadbGtidEvent['alter'] {
  if ((extra & ExtraFlag.startAlter) !== 0) return 'start';
  if ((extra & ExtraFlag.commitAlter) !== 0) return 'commit';
  return (extra & ExtraFlag.rollbackAlter) === 0 ? null : 'rollback';
}

/** The upper four bits are flags. */
const COUNT_MASK = 0x0fff_ffff;
const LISTED_GTID_BYTES = 16;

/** GTID_LIST_EVENT: the last GTID of each domain and server before this file. */
export function parseGtidList(bytes: Buffer, start: number, end: number): Gtid[] {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const count = reader.uint32() & COUNT_MASK;
  if (count * LISTED_GTID_BYTES > reader.remaining) throw new ProtocolError('a GTID list ends before its last GTID');
  const sources = new GtidSources();
  const gtids: Gtid[] = [];
  for (let index = 0; index < count; index++) {
    const source = sources.ofDomain(reader.uint32(), reader.uint32());
    gtids.push(new Gtid(source, '-', reader.uint64()));
  }
  return gtids;
}
