import { HEADER_BYTES } from './binlog-event.ts';
import { ByteReader } from './byte-reader.ts';
import { ProtocolError } from './protocol-error.ts';

export const CHECKSUM_BYTES = 4;

/** FORMAT_DESCRIPTION_EVENT: how the events after it are written. */
export interface FormatDescription {
  readonly serverVersion: string;
  readonly checksum: 'none' | 'crc32';
}

/** Servers from these versions on write the checksum algorithm: MySQL 5.6.1, MariaDB 5.3. */
const FIRST_WITH_CHECKSUM = [5, 6, 1] as const;

/**
 * `end` is the end of the packet: this event always has room for a checksum where the server knows checksums, also where
 * it writes none.
 */
export function parseFormatDescription(bytes: Buffer, start: number, end: number): FormatDescription {
  const reader = new ByteReader(bytes, start + HEADER_BYTES, end);
  const binlogVersion = reader.uint16();
  if (binlogVersion !== 4) throw new ProtocolError(`the binlog has version ${binlogVersion}, only 4 is known`);
  const serverVersion = reader.utf8(50).replace(/\0.*$/s, '');
  reader.uint32();
  const headerBytes = reader.uint8();
  if (headerBytes !== HEADER_BYTES)
    throw new ProtocolError(`event headers have ${headerBytes} bytes, not ${HEADER_BYTES}`);
  if (!hasChecksums(serverVersion)) return { serverVersion, checksum: 'none' };
  if (reader.remaining < 1 + CHECKSUM_BYTES) throw new ProtocolError('a format description ends before its checksum');
  const algorithm = bytes[end - CHECKSUM_BYTES - 1] as number;
  if (algorithm !== 0 && algorithm !== 1) throw new ProtocolError(`the checksum algorithm ${algorithm} is not known`);
  return { serverVersion, checksum: algorithm === 1 ? 'crc32' : 'none' };
}

function hasChecksums(serverVersion: string): boolean {
  const parts = serverVersion.split(/[.-]/).map(Number);
  for (const [index, least] of FIRST_WITH_CHECKSUM.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}
