import { EventType, HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

export const CHECKSUM_BYTES = 4;

/** FORMAT_DESCRIPTION_EVENT: how the events after it are written. */
export interface FormatDescription {
  readonly serverVersion: string;
  readonly checksum: 'none' | 'crc32';
}

/** The first versions that write the checksum algorithm. */
const FIRST_MYSQL_WITH_CHECKSUM = [5, 6, 1] as const;
const FIRST_MARIADB_WITH_CHECKSUM = [5, 3, 0] as const;
/** In front of MariaDB's version where replicas of MySQL 5.5 would not take it. */
const MARIADB_PREFIX = '5.5.5-';

/** Fixed parts of the events whose parsers know only one length of them; a server that does not write them says 0. */
const POST_HEADER_BYTES: readonly (readonly [type: number, bytes: number])[] = [
  [EventType.query, 13],
  [EventType.tableMap, 8],
  [EventType.writeRowsV1, 8],
  [EventType.updateRowsV1, 8],
  [EventType.deleteRowsV1, 8],
  [EventType.writeRows, 10],
  [EventType.updateRows, 10],
  [EventType.deleteRows, 10],
];

/**
 * `end` is the end of the packet: this event always has room for a checksum where the server knows checksums, also where
 * it writes none.
 * @see https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Format__description__event.html
 */
export function parseFormatDescription(bytes: Buffer, start: number, end: number): FormatDescription {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const binlogVersion = reader.uint16();
  if (binlogVersion !== 4) throw new ProtocolError(`the binlog has version ${binlogVersion}, only 4 is known`);
  const serverVersion = reader.utf8(50).replace(/\0.*$/s, '');
  reader.uint32();
  const headerBytes = reader.uint8();
  if (headerBytes !== HEADER_BYTES) {
    throw new ProtocolError(`event headers have ${headerBytes} bytes, not ${HEADER_BYTES}`);
  }
  if (!hasChecksums(serverVersion)) {
    checkPostHeaders(reader);
    return { serverVersion, checksum: 'none' };
  }
  if (reader.remaining < 1 + CHECKSUM_BYTES) throw new ProtocolError('a format description ends before its checksum');
  checkPostHeaders(reader.part(reader.remaining - 1 - CHECKSUM_BYTES));
  const algorithm = reader.uint8();
  if (algorithm !== 0 && algorithm !== 1) throw new ProtocolError(`the checksum algorithm ${algorithm} is not known`);
  return { serverVersion, checksum: algorithm === 1 ? 'crc32' : 'none' };
}

function checkPostHeaders(reader: ByteReader): void {
  // One byte for each event type from 1 on.
  const lengths = reader.copy(reader.remaining);
  for (const [type, bytes] of POST_HEADER_BYTES) {
    const length = lengths[type - 1] ?? 0;
    if (length !== 0 && length !== bytes) {
      throw new ProtocolError(`events of type ${type} have a fixed part of ${length} bytes, not ${bytes}`);
    }
  }
}

function hasChecksums(serverVersion: string): boolean {
  const isMariadb = /mariadb/i.test(serverVersion);
  const version = serverVersion.startsWith(MARIADB_PREFIX) ? serverVersion.slice(MARIADB_PREFIX.length) : serverVersion;
  const parts = version.split(/[.-]/).map((part) => Number.parseInt(part, 10));
  for (const [index, least] of (isMariadb ? FIRST_MARIADB_WITH_CHECKSUM : FIRST_MYSQL_WITH_CHECKSUM).entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
