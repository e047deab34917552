import type { Lsn } from './lsn.ts';

/** First byte of a message: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html */
export const MessageType = {
  begin: 0x42,
  commit: 0x43,
  delete: 0x44,
  insert: 0x49,
  message: 0x4d,
  origin: 0x4f,
  relation: 0x52,
  truncate: 0x54,
  update: 0x55,
  type: 0x59,
} as const;

/** First byte of a row image. */
export const TupleTag = { key: 0x4b, old: 0x4f, new: 0x4e } as const;

export interface BeginMessage {
  /** LSN of the commit record: where the transaction stands in the stream. */
  readonly finalLsn: Lsn;
  readonly commitTimeUs: number;
  /** Unsigned 32 bits. */
  readonly xid: number;
}

export interface CommitMessage {
  readonly commitLsn: Lsn;
  /** End of the commit record: the position to confirm and to resume from. */
  readonly endLsn: Lsn;
  readonly commitTimeUs: number;
}

export interface OriginMessage {
  readonly lsn: Lsn;
  readonly name: string;
}

/** `relreplident`: default (primary key), nothing, full, index. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i';

export interface RelationMessage {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly replicaIdentity: ReplicaIdentity;
  readonly columns: readonly RelationColumn[];
}

export interface RelationColumn {
  readonly name: string;
  /** Part of the replica identity, so present in a key image. */
  readonly isKey: boolean;
  readonly typeOid: number;
  readonly typmod: number;
}

export interface TruncateMessage {
  readonly relationOids: readonly number[];
}

export interface LogicalDecodingMessage {
  readonly transactional: boolean;
  /** End of the message's record. */
  readonly lsn: Lsn;
  readonly prefix: string;
  readonly contentStart: number;
  readonly contentEnd: number;
}
