import { ChangeKind, type Truncate } from '../../src/core/change-batch.ts';
import { FatalError } from '../../src/core/errors.ts';
import type { MessageArena } from '../../src/core/message-arena.ts';
import { layoutOf } from './build-table-version.ts';
import { unknownLabel } from './enum-labels.ts';
import { OldImage, type PgChangeBatch } from './pg-change-batch.ts';
import type { PgPosition } from './positions.ts';
import { compareLsn, formatLsn, type Lsn } from './protocol/lsn.ts';
import { type BeginMessage, type CommitMessage, MessageType, TupleTag } from './protocol/pgoutput-messages.ts';
import {
  checkType,
  parseBegin,
  parseCommit,
  parseMessage,
  parseOrigin,
  parseRelation,
  parseTruncate,
} from './protocol/pgoutput-parser.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { readInt32, scanTuple, type TupleScan } from './protocol/tuple.ts';
import type { Relation, RelationCache, StreamPoint } from './relation-cache.ts';
import { streamPointKey } from './relation-cache.ts';
import { TransactionContext } from './transaction-context.ts';

/** Messages with this prefix are our own sign of life, of this or another source: never published. */
export const HEARTBEAT_PREFIX = 'tailrace.heartbeat.';

/** What stopped the decoding of an arena. */
export interface NeedsVersion {
  readonly relation: Relation;
  readonly point: StreamPoint;
}

/**
 * Turns messages into changes, synchronously. Knows the open transaction and the position reached; asks for a table
 * version where it lacks one, and goes on at the same message once it is there.
 */
export class ChangeDecoder {
  readonly #relations: RelationCache;
  /** Transactions that end at or before this are not emitted: they are durable already. */
  readonly #from: Lsn;
  /** End of the last commit or published message. */
  #lastCommit: Lsn | null;
  #lastCommitTimeUs: number | null;
  #resumeAt: Lsn;
  #context: TransactionContext | null = null;
  #skipping = false;
  #pastHead = false;
  #needed: NeedsVersion | null = null;
  readonly #scan: TupleScan = { end: 0, firstForbiddenNull: -1 };

  constructor(relations: RelationCache, from: PgPosition) {
    this.#relations = relations;
    this.#from = from.lsn;
    this.#resumeAt = from.lsn;
    this.#lastCommit = from.lastCommit;
    this.#lastCommitTimeUs = from.lastCommitTimeUs;
  }

  /**
   * Decodes the arena's messages from `index` on into `batch`.
   * @returns the index of the message that needs a table version (`needed` says which), or the arena's count.
   * @throws FatalError where bytes are not what the protocol promises.
   */
  decode(arena: MessageArena, index: number, batch: PgChangeBatch): number {
    this.#needed = null;
    for (let entry = index; entry < arena.count; entry++) {
      const end = arena.ends[entry] as number;
      try {
        if (end === -1) this.#keepalive(arena, entry, batch);
        else if (!this.#message(arena, entry, arena.starts[entry] as number, end, batch)) return entry;
      } catch (error) {
        throw this.#located(error, arena, entry);
      }
    }
    return arena.count;
  }

  get needed(): NeedsVersion | null {
    return this.#needed;
  }

  /** @returns false where the message waits for a table version; nothing of it was emitted. */
  #message(arena: MessageArena, entry: number, start: number, end: number, batch: PgChangeBatch): boolean {
    const { bytes } = arena;
    if (start === end) throw new ProtocolError('a message is empty');
    switch (bytes[start]) {
      case MessageType.insert:
      case MessageType.update:
      case MessageType.delete:
        return this.#skipping || this.#row(arena, entry, start, end, batch);
      case MessageType.begin:
        this.#onBegin(parseBegin(bytes, start, end), arena, entry, batch);
        return true;
      case MessageType.commit:
        this.#onCommit(parseCommit(bytes, start, end), arena, entry, batch);
        return true;
      case MessageType.relation:
        this.#relations.announce(parseRelation(bytes, start, end), layoutOf(bytes, start, end));
        return true;
      case MessageType.type:
        checkType(bytes, start, end);
        return true;
      case MessageType.origin: {
        const origin = parseOrigin(bytes, start, end);
        const context = this.#openContext();
        context.origin = origin.name;
        context.originLsn = origin.lsn;
        return true;
      }
      case MessageType.truncate:
        return this.#skipping || this.#truncate(arena, entry, start, end, batch);
      case MessageType.message:
        this.#logicalMessage(arena, entry, start, end, batch);
        return true;
      default:
        throw new ProtocolError(`the message type 0x${(bytes[start] as number).toString(16)} is not known`);
    }
  }

  #onBegin(begin: BeginMessage, arena: MessageArena, entry: number, batch: PgChangeBatch): void {
    if (this.#context !== null) throw new ProtocolError('a transaction begins inside another');
    // The server leaves out what commits before the position asked for; the stream was started earlier to own the slot.
    this.#skipping = compareLsn(begin.finalLsn, this.#from) < 0;
    const context = new TransactionContext(begin.xid, begin.commitTimeUs, this.#lastCommit, begin.finalLsn);
    this.#context = context;
    if (this.#skipping) return;
    if (!this.#pastHead && this.#relations.isPastHead(begin.finalLsn)) {
      this.#pastHead = true;
      this.#relations.expireUnverified();
    }
    batch.add(ChangeKind.begin, null, context, context, high(arena, entry), low(arena, entry));
  }

  #onCommit(commit: CommitMessage, arena: MessageArena, entry: number, batch: PgChangeBatch): void {
    const context = this.#openContext();
    this.#context = null;
    if (this.#skipping) {
      this.#skipping = false;
      return;
    }
    this.#lastCommit = commit.endLsn;
    this.#lastCommitTimeUs = commit.commitTimeUs;
    this.#resumeAt = commit.endLsn;
    const detail = { resumeAt: this.#position(), commitTimeUs: commit.commitTimeUs };
    batch.add(ChangeKind.commit, null, detail, context, high(arena, entry), low(arena, entry));
  }

  #row(arena: MessageArena, entry: number, start: number, end: number, batch: PgChangeBatch): boolean {
    const { bytes } = arena;
    const context = this.#openContext();
    if (start + 6 > end) throw new ProtocolError('a row ends before its first image');
    const relation = this.#relationOf(readInt32(bytes, start + 1) >>> 0);
    if (!relation.captured) return true;
    if (this.#lacksVersion(relation, arena, entry)) return false;
    const type = bytes[start];
    const columnCount = relation.message.columns.length;
    const scan = this.#scan;
    let at = start + 5;
    let tag = bytes[at] as number;
    let oldStart = -1;
    let oldImage: number = OldImage.none;
    if (type !== MessageType.insert && (tag === TupleTag.key || tag === TupleTag.old)) {
      oldStart = at + 1;
      oldImage = tag === TupleTag.key ? OldImage.key : OldImage.full;
      scanTuple(bytes, oldStart, end, columnCount, tag === TupleTag.old ? relation.notNull : null, scan);
      if (this.#metForbiddenNull(relation, arena, entry) || this.#metNewLabel(relation, oldStart, arena, entry)) {
        return false;
      }
      at = scan.end;
      tag = at < end ? (bytes[at] as number) : 0;
    }
    let newStart = -1;
    if (type !== MessageType.delete) {
      if (tag !== TupleTag.new) throw new ProtocolError('a row lacks its new image');
      newStart = at + 1;
      scanTuple(bytes, newStart, end, columnCount, relation.notNull, scan);
      if (this.#metForbiddenNull(relation, arena, entry) || this.#metNewLabel(relation, newStart, arena, entry)) {
        return false;
      }
      at = scan.end;
    } else if (oldStart < 0) {
      throw new ProtocolError('a deleted row lacks its old image');
    }
    if (at !== end) throw new ProtocolError('a row is followed by bytes that do not belong to it');
    const kind =
      type === MessageType.insert
        ? ChangeKind.insert
        : type === MessageType.update
          ? ChangeKind.update
          : ChangeKind.delete;
    const index = batch.add(kind, relation.version, null, context, high(arena, entry), low(arena, entry));
    batch.hasBefore[index] = oldStart < 0 ? 0 : 1;
    batch.oldImages[index] = oldImage;
    batch.oldStarts[index] = oldStart;
    batch.newStarts[index] = newStart;
    return true;
  }

  #truncate(arena: MessageArena, entry: number, start: number, end: number, batch: PgChangeBatch): boolean {
    const { relationOids } = parseTruncate(arena.bytes, start, end);
    const context = this.#openContext();
    const tables: Truncate['tables'][number][] = [];
    for (const oid of relationOids) {
      const relation = this.#relationOf(oid);
      if (!relation.captured) continue;
      if (this.#lacksVersion(relation, arena, entry)) return false;
      if (relation.version !== null) tables.push(relation.version);
    }
    if (tables.length > 0) {
      batch.add(ChangeKind.truncate, null, { tables }, context, high(arena, entry), low(arena, entry));
    }
    return true;
  }

  #logicalMessage(arena: MessageArena, entry: number, start: number, end: number, batch: PgChangeBatch): void {
    const message = parseMessage(arena.bytes, start, end);
    const isHeartbeat = message.prefix.startsWith(HEARTBEAT_PREFIX);
    if (message.transactional) {
      const context = this.#openContext();
      if (!this.#skipping && !isHeartbeat) {
        batch.add(ChangeKind.message, null, message, context, high(arena, entry), low(arena, entry));
      }
      return;
    }
    if (compareLsn(message.lsn, this.#from) <= 0) return;
    if (isHeartbeat) {
      this.#heartbeat(message.lsn, batch);
      return;
    }
    // As Debezium: such a message counts as the last commit, and has the time of the commit before it.
    this.#lastCommit = message.lsn;
    const context = new TransactionContext(null, this.#lastCommitTimeUs ?? 0, message.lsn, message.lsn);
    batch.add(ChangeKind.message, null, message, context, message.lsn.high, message.lsn.low);
  }

  #keepalive(arena: MessageArena, entry: number, batch: PgChangeBatch): void {
    this.#heartbeat({ high: high(arena, entry), low: low(arena, entry) }, batch);
  }

  /** Everything that committed before `lsn` was emitted: it is a point to resume from, unless a transaction is open. */
  #heartbeat(lsn: Lsn, batch: PgChangeBatch): void {
    if (this.#context !== null || compareLsn(lsn, this.#resumeAt) <= 0) return;
    this.#resumeAt = lsn;
    batch.add(ChangeKind.heartbeat, null, { resumeAt: this.#position() }, null, lsn.high, lsn.low);
  }

  #position(): PgPosition {
    return { lsn: this.#resumeAt, lastCommit: this.#lastCommit, lastCommitTimeUs: this.#lastCommitTimeUs };
  }

  #openContext(): TransactionContext {
    if (this.#context === null) throw new ProtocolError('a change lies outside of a transaction');
    return this.#context;
  }

  #relationOf(oid: number): Relation {
    const relation = this.#relations.get(oid);
    if (relation === undefined) throw new ProtocolError(`the relation ${oid} was not announced`);
    return relation;
  }

  #lacksVersion(relation: Relation, arena: MessageArena, entry: number): boolean {
    if (relation.version !== null) {
      if (relation.changesAt === null || relation.changesAt > streamPointKey(this.#point(arena, entry))) return false;
    }
    this.#needed = { relation, point: this.#point(arena, entry) };
    return true;
  }

  #metForbiddenNull(relation: Relation, arena: MessageArena, entry: number): boolean {
    const column = this.#scan.firstForbiddenNull;
    if (column < 0) return false;
    if (relation.metNull.has(column)) throw new ProtocolError('a nullable version still forbids NULL');
    relation.metNull.add(column);
    this.#needed = { relation, point: this.#point(arena, entry) };
    return true;
  }

  #metNewLabel(relation: Relation, start: number, arena: MessageArena, entry: number): boolean {
    if (relation.enums === null) return false;
    const met = unknownLabel(arena.bytes, start, relation.enums);
    if (met === null) return false;
    if (relation.metLabels.some(({ column, label }) => column === met.column && label === met.label)) {
      throw new ProtocolError('a version still lacks a label that it was made for');
    }
    relation.metLabels.push(met);
    this.#needed = { relation, point: this.#point(arena, entry) };
    return true;
  }

  #point(arena: MessageArena, entry: number): StreamPoint {
    const own = { high: high(arena, entry), low: low(arena, entry) };
    return { commit: this.#context?.finalLsn ?? own, own };
  }

  #located(error: unknown, arena: MessageArena, entry: number): unknown {
    if (!(error instanceof ProtocolError)) return error;
    const at = formatLsn({ high: high(arena, entry), low: low(arena, entry) });
    return new FatalError(`The replication stream cannot be read at ${at}: ${error.message}.`, {
      code: 'POSTGRES_PROTOCOL',
      remedy: 'Check that nothing between the daemon and Postgres alters the connection; else report it.',
      position: at,
      cause: error,
    });
  }
}

function high(arena: MessageArena, entry: number): number {
  return arena.tagHigh[entry] as number;
}

function low(arena: MessageArena, entry: number): number {
  return arena.tagLow[entry] as number;
}
