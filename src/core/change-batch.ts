import type { SchemaChange } from './schema-change.ts';
import type { SnapshotMarker } from './snapshot.ts';
import type { TableVersion } from './table.ts';

/** What happened, one small integer per change. */
export const ChangeKind = {
  begin: 1,
  insert: 2,
  update: 3,
  delete: 4,
  truncate: 5,
  message: 6,
  commit: 7,
  heartbeat: 8,
  schema: 9,
  read: 10,
} as const;
export type ChangeKind = (typeof ChangeKind)[keyof typeof ChangeKind];

export type RowImage = 'before' | 'after';

/** The transaction that the changes after a `begin` belong to. */
export interface TransactionBegin {
  /** Debezium's transaction id: Postgres `txId:commitLsn`, MySQL the GTID. The same on replay. */
  readonly id: string;
  /** Commit time on the source, microseconds since 1970. */
  readonly commitTimeUs: number;
}

export interface TransactionCommit<P> {
  /** Where a stream may start again so that everything up to this commit is left out and nothing after it is. */
  readonly resumeAt: P;
  readonly commitTimeUs: number;
}

export interface Heartbeat<P> {
  /** As for a commit: everything before is published once everything emitted earlier is. */
  readonly resumeAt: P;
}

export interface Truncate {
  readonly tables: readonly TableVersion[];
}

/** A logical decoding message (`pg_logical_emit_message`). `content` is a range of the batch's bytes. */
export interface LogicalMessage {
  readonly prefix: string;
  readonly transactional: boolean;
  readonly contentStart: number;
  readonly contentEnd: number;
}

/** Goes with a row that was read from its table. Set by whoever publishes it, before its source block is written. */
export interface RowRead {
  readonly marker: SnapshotMarker;
}

export type ChangeDetail<P> =
  | TransactionBegin
  | TransactionCommit<P>
  | Heartbeat<P>
  | Truncate
  | LogicalMessage
  | SchemaChange
  | RowRead;

/**
 * What one read of the log brought, in log order, as columns instead of objects: change `i` is row `i` of every array.
 * The batch owns its bytes until `release`; after that nothing of it may be read, so it is released only when everything
 * in it has been encoded.
 */
export interface ChangeBatch<P> {
  readonly bytes: Buffer;
  readonly count: number;
  readonly kinds: Uint8Array;
  /** The table of a row; null for the other kinds. */
  readonly versions: readonly (TableVersion | null)[];
  /** What goes with every kind but rows of the log; null for those, and for rows that were read until they are marked. */
  readonly details: (ChangeDetail<P> | null)[];
  /** 1 where the row has an image of before the change, whole or only its key. */
  readonly hasBefore: Uint8Array;
  /** Wall clock when the newest byte of the batch arrived, milliseconds since 1970. */
  readonly receivedAtMs: number;
  release(): void;
}
