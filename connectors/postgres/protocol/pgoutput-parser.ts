import { ByteReader } from './byte-reader.ts';
import type {
  BeginMessage,
  CommitMessage,
  LogicalDecodingMessage,
  OriginMessage,
  RelationColumn,
  RelationMessage,
  ReplicaIdentity,
  TruncateMessage,
} from './pgoutput-messages.ts';
import { ProtocolError } from './protocol-error.ts';

/**
 * The messages of pgoutput, protocol versions 1 and 2 without streaming, that are not rows. Each function gets the range
 * of a whole message, type byte included, and throws a ProtocolError where the bytes do not fit.
 * https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
 */
export function parseBegin(bytes: Buffer, start: number, end: number): BeginMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  const finalLsn = reader.lsn();
  const commitTimeUs = reader.timestampUs();
  const xid = reader.uint32();
  reader.expectEnd();
  return { finalLsn, commitTimeUs, xid };
}

export function parseCommit(bytes: Buffer, start: number, end: number): CommitMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  reader.skip(1);
  const commitLsn = reader.lsn();
  const endLsn = reader.lsn();
  const commitTimeUs = reader.timestampUs();
  reader.expectEnd();
  return { commitLsn, endLsn, commitTimeUs };
}

export function parseOrigin(bytes: Buffer, start: number, end: number): OriginMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  const lsn = reader.lsn();
  const name = reader.string();
  reader.expectEnd();
  return { lsn, name };
}

export function parseRelation(bytes: Buffer, start: number, end: number): RelationMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  const oid = reader.uint32();
  // The protocol leaves the name of pg_catalog out.
  const schema = reader.string() || 'pg_catalog';
  const name = reader.string();
  const replicaIdentity = String.fromCharCode(reader.uint8());
  if (!isReplicaIdentity(replicaIdentity)) throw new ProtocolError('a relation has an unknown replica identity');
  const count = reader.uint16();
  const columns: RelationColumn[] = [];
  for (let index = 0; index < count; index++) {
    const isKey = (reader.uint8() & 1) === 1;
    columns.push({ isKey, name: reader.string(), typeOid: reader.uint32(), typmod: reader.int32() });
  }
  reader.expectEnd();
  return { oid, schema, name, replicaIdentity, columns };
}

/** Checks a Type message; types are read from the catalog, which knows more than its name. */
export function checkType(bytes: Buffer, start: number, end: number): void {
  const reader = new ByteReader(bytes, start + 1, end);
  reader.uint32();
  reader.string();
  reader.string();
  reader.expectEnd();
}

export function parseTruncate(bytes: Buffer, start: number, end: number): TruncateMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  const count = reader.uint32();
  reader.skip(1);
  if (count * 4 !== end - reader.position) throw new ProtocolError('a truncate names another number of relations');
  const relationOids: number[] = [];
  for (let index = 0; index < count; index++) relationOids.push(reader.uint32());
  return { relationOids };
}

export function parseMessage(bytes: Buffer, start: number, end: number): LogicalDecodingMessage {
  const reader = new ByteReader(bytes, start + 1, end);
  const transactional = (reader.uint8() & 1) === 1;
  const lsn = reader.lsn();
  const prefix = reader.string();
  const length = reader.uint32();
  const contentStart = reader.skip(length);
  reader.expectEnd();
  return { transactional, lsn, prefix, contentStart, contentEnd: contentStart + length };
}

function isReplicaIdentity(text: string): text is ReplicaIdentity {
  return text === 'd' || text === 'n' || text === 'f' || text === 'i';
}
