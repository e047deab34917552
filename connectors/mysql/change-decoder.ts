import { ChangeKind } from '../../src/core/change-batch.ts';
import { FatalError, ResyncRequiredError } from '../../src/core/errors.ts';
import type { MessageArena } from '../../src/core/message-arena.ts';
import { LogProgress } from './log-progress.ts';
import type { MappedTable } from './mapped-table.ts';
import type { MySqlChangeBatch } from './my-change-batch.ts';
import type { Dialect } from './mysql-type.ts';
import { logPointKey, type MySqlPosition } from './positions.ts';
import { checkHeader, EventType, eventServerId, eventTimestamp, eventType } from './protocol/binlog-event.ts';
import type { Gtid } from './protocol/gtid.ts';
import { type GtidEvent, parseGtid } from './protocol/gtid-events.ts';
import { GtidSources } from './protocol/gtid-sources.ts';
import { parseHeartbeat } from './protocol/heartbeat.ts';
import { type MariadbGtidEvent, parseMariadbGtid } from './protocol/mariadb-gtid-events.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { isBegin, parseQuery, type QueryEvent, queryThreadId } from './protocol/query-event.ts';
import { parseRotate } from './protocol/rotate.ts';
import { scanRow } from './protocol/row-layout.ts';
import { DUMMY_TABLE_ID, emptyRowsEvent, parseRowsEvent } from './protocol/rows-event.ts';
import { parseRowsQuery } from './protocol/rows-query.ts';
import { parseXaPrepare } from './protocol/xa.ts';
import { refuseEvent } from './refuse-event.ts';
import { type DdlStatement, readStatement } from './statement.ts';
import type { StatementOutcome, TableCache } from './table-cache.ts';
import type { LoggedStatement, LogPoint } from './table-definitions.ts';
import { TransactionContext } from './transaction-context.ts';
import type { XaBranch } from './xa-branches.ts';

/** What stopped the decoding of an arena: the decoder goes on at the same event once it has it. */
export type Needed =
  | { readonly kind: 'version'; readonly table: MappedTable; readonly point: LogPoint }
  | {
      readonly kind: 'statement';
      readonly statement: DdlStatement;
      readonly logged: LoggedStatement;
      readonly point: LogPoint;
    }
  /** The events of a prepared transaction that was committed come next, before the rest of the arena. */
  | { readonly kind: 'branch'; readonly branch: XaBranch };

export interface ChangeDecoderOptions {
  readonly dialect: Dialect;
  readonly tables: TableCache;
  readonly from: MySqlPosition;
  /** Whether rows carry the statement that made them, where the server logs it. */
  readonly includeQuery: boolean;
}

/**
 * Turns binlog events into changes, synchronously. Knows the open transaction and the position reached; asks for what it
 * lacks (a table version, what a statement came to), and goes on at the same event once it is there.
 */
export class ChangeDecoder {
  readonly #options: ChangeDecoderOptions;
  readonly #progress: LogProgress;
  /** What a GTID opened, or BEGIN where there is none; null between two groups of events. */
  #context: TransactionContext | null = null;
  /** Whether the context was told as a begin, so that a commit is due. */
  #begun = false;
  #hasRows = false;
  /** The branch that takes the events of an XA transaction until it is prepared. */
  #preparing: XaBranch | null = null;
  /** The branch whose events are being decoded: they have no place of their own in the log any more. */
  #replaying: XaBranch | null = null;
  #query: string | null = null;
  #ignoresStatements = false;
  #needed: Needed | null = null;
  #outcome: StatementOutcome | null = null;
  #branchIsDone = false;
  /** Whether the position was moved past the event that decoding stopped at. */
  #passed = false;
  /** Where the event that is being decoded starts. */
  #at: number;
  readonly #rows = emptyRowsEvent();
  readonly #sources = new GtidSources();

  constructor(options: ChangeDecoderOptions) {
    this.#options = options;
    this.#progress = new LogProgress(options.dialect, options.from);
    this.#at = options.from.pos;
  }

  /**
   * Decodes the arena's events from `index` on into `batch`.
   * @returns the index of the event that needs something (`needed` says what), or the arena's count.
   * @throws FatalError where bytes are not what the protocol promises.
   */
  decode(arena: MessageArena, index: number, batch: MySqlChangeBatch): number {
    this.#needed = null;
    for (let entry = index; entry < arena.count; entry++) {
      try {
        if (!this.#entry(arena, entry, batch)) return entry;
      } catch (error) {
        throw this.#located(error);
      }
    }
    return arena.count;
  }

  get needed(): Needed | null {
    return this.#needed;
  }

  /** Where the reader stands, for a comparison with the end of the server's log. */
  get reached(): { readonly file: string; readonly position: number } {
    return this.#progress.place;
  }

  /** Answers a needed statement. */
  answer(outcome: StatementOutcome): void {
    this.#outcome = outcome;
  }

  /** The events of the needed branch were decoded. */
  endBranch(): void {
    this.#replaying = null;
    this.#branchIsDone = true;
  }

  /** Gives up what is kept of undecided transactions. */
  close(): void {
    this.#preparing?.discard();
    this.#progress.branches.discardAll();
  }

  #entry(arena: MessageArena, entry: number, batch: MySqlChangeBatch): boolean {
    const { bytes } = arena;
    const start = arena.starts[entry] as number;
    const end = arena.ends[entry] as number;
    checkHeader(start, end);
    const type = eventType(bytes, start);
    if (this.#replaying !== null) return this.#event(type, bytes, start, end, batch);
    if (!this.#passed) {
      const inner = arena.tagHigh[entry] as number;
      this.#at = this.#progress.place.pass(bytes, start, type, inner, arena.tagLow[entry] as number);
    }
    this.#passed = !this.#event(type, bytes, start, end, batch);
    return !this.#passed;
  }

  /** @returns false where the event waits for what is needed; nothing of it was emitted that would be emitted again. */
  #event(type: number, bytes: Buffer, start: number, end: number, batch: MySqlChangeBatch): boolean {
    switch (type) {
      case EventType.writeRows:
      case EventType.updateRows:
      case EventType.deleteRows:
      case EventType.writeRowsV1:
      case EventType.updateRowsV1:
      case EventType.deleteRowsV1:
        return this.#rowsEvent(type, bytes, start, end, batch);
      case EventType.tableMap:
        if (this.#preparing !== null) this.#preparing.append(bytes, start, end);
        else this.#options.tables.announce(bytes, start, end);
        return true;
      case EventType.gtid:
      case EventType.gtidTagged:
      case EventType.anonymousGtid:
        this.#openGroup(parseGtid(bytes, start, end, this.#sources), bytes, start, batch);
        return true;
      case EventType.mariadbGtid:
        this.#openMariadbGroup(parseMariadbGtid(bytes, start, end, this.#sources), bytes, start, batch);
        return true;
      case EventType.query:
        return this.#onQuery(bytes, start, end, batch);
      case EventType.xid:
        this.#commit(batch);
        return true;
      case EventType.xaPrepare:
        return this.#onPrepare(bytes, start, end, batch);
      case EventType.rowsQuery:
      case EventType.mariadbAnnotateRows:
        if (this.#preparing !== null) this.#preparing.append(bytes, start, end);
        else if (this.#options.includeQuery) this.#query = parseRowsQuery(bytes, start, end);
        return true;
      case EventType.rotate: {
        const { file, position } = parseRotate(bytes, start, end);
        this.#progress.place.rotate(file, position);
        this.#heartbeat(batch);
        return true;
      }
      case EventType.heartbeat:
      case EventType.heartbeatV2:
        this.#onHeartbeat(bytes, start, end, batch);
        return true;
      default:
        this.#otherEvent(type, bytes, start, end);
        return true;
    }
  }

  #rowsEvent(type: number, bytes: Buffer, start: number, end: number, batch: MySqlChangeBatch): boolean {
    if (this.#preparing !== null) {
      this.#preparing.append(bytes, start, end);
      return true;
    }
    const rows = this.#rows;
    parseRowsEvent(bytes, start, end, rows);
    const table = this.#options.tables.get(rows.tableId);
    if (table === undefined) {
      if (rows.tableId === DUMMY_TABLE_ID) return true;
      throw new ProtocolError(`the table id ${rows.tableId} was not announced`);
    }
    if (!table.captured) return true;
    const context = this.#openContext();
    const layout = table.rows;
    if (rows.columnCount !== layout.columnCount)
      throw new ProtocolError('a rows event has other columns than its table map');
    if (table.version === null) {
      this.#needed = { kind: 'version', table, point: this.#point() };
      return false;
    }
    const kind = KINDS[type] as ChangeKind;
    const hasOld = kind !== ChangeKind.insert;
    const hasNew = kind !== ChangeKind.delete;
    this.#hasRows = true;
    // An INSERT without values is a row without bytes under binlog_row_image MINIMAL.
    for (let at = rows.firstRow, row = 0; at < end || (rows.isEmptyRow && row === 0); row++) {
      const old = at;
      if (hasOld) at = scanRow(bytes, at, end, layout, rows.bitmap);
      const after = at;
      if (hasNew) at = scanRow(bytes, at, end, layout, rows.newBitmap);
      const index = batch.add(kind, table.version, null, context, this.#at);
      batch.rows[index] = row;
      if (hasOld) {
        batch.hasBefore[index] = 1;
        batch.beforeStarts[index] = old;
        batch.beforeBitmaps[index] = rows.bitmap;
      }
      if (hasNew) {
        batch.afterStarts[index] = after;
        batch.afterBitmaps[index] = rows.newBitmap;
      }
      if (this.#query !== null) batch.queries[index] = this.#query;
    }
    return true;
  }

  #openGroup(event: GtidEvent, bytes: Buffer, start: number, batch: MySqlChangeBatch): void {
    this.#closeGroup(batch);
    this.#progress.open(event.gtid, this.#at);
    const timeUs = event.originalCommitUs ?? eventTimestamp(bytes, start) * 1_000_000;
    this.#context = this.#newContext(event.gtid, bytes, start, timeUs);
  }

  /** MariaDB has no BEGIN: the GTID opens the transaction, unless a single statement follows. */
  #openMariadbGroup(event: MariadbGtidEvent, bytes: Buffer, start: number, batch: MySqlChangeBatch): void {
    this.#closeGroup(batch);
    this.#progress.open(event.gtid, this.#at);
    this.#context = this.#newContext(event.gtid, bytes, start, eventTimestamp(bytes, start) * 1_000_000);
    if (event.preparedXa) this.#preparing = this.#progress.newBranch();
    else if (!event.standalone && !event.completedXa) this.#begin(batch);
    // An ALTER that is logged in two parts has its effect at the second.
    this.#ignoresStatements = event.alter === 'start' || event.alter === 'rollback';
  }

  #onQuery(bytes: Buffer, start: number, end: number, batch: MySqlChangeBatch): boolean {
    if (isBegin(bytes, start, end)) {
      this.#beginAt(bytes, start, batch);
      return true;
    }
    const query = parseQuery(bytes, start, end);
    if (this.#ignoresStatements) {
      this.#ignoresStatements = false;
      this.#closeGroup(batch);
      return true;
    }
    const text = this.#options.tables.statementText(bytes, query);
    const statement = readStatement(text, query.database, query.sqlModeLow);
    switch (statement.kind) {
      case 'begin':
        this.#beginAt(bytes, start, batch);
        return true;
      case 'commit':
        this.#commit(batch);
        return true;
      case 'rollback':
      case 'rollback-to':
        this.#rollback(statement.kind === 'rollback', batch);
        return true;
      case 'xa-start':
        this.#preparing = this.#progress.newBranch();
        return true;
      case 'xa-commit':
        return this.#onXaCommit(statement.xid, query, batch);
      case 'xa-rollback':
        this.#progress.decide(statement.xid)?.discard();
        this.#closeGroup(batch);
        return true;
      case 'transaction':
        return true;
      case 'dml':
        this.#options.tables.checkDml(this.#describe());
        return true;
      case 'other':
        if (!this.#begun) this.#closeGroup(batch);
        return true;
      default:
        return this.#onDdl(statement, text, query, bytes, start, batch);
    }
  }

  #beginAt(bytes: Buffer, start: number, batch: MySqlChangeBatch): void {
    if (this.#begun) throw new ProtocolError('a transaction begins inside another');
    if (this.#context === null) {
      this.#progress.open(null, this.#at);
      this.#context = this.#newContext(null, bytes, start, eventTimestamp(bytes, start) * 1_000_000);
    }
    this.#setThread(this.#context, queryThreadId(bytes, start));
    this.#begin(batch);
  }

  #begin(batch: MySqlChangeBatch): void {
    const context = this.#openContext();
    this.#begun = true;
    this.#hasRows = false;
    this.#query = null;
    batch.add(ChangeKind.begin, null, context, context, this.#at);
  }

  #commit(batch: MySqlChangeBatch): void {
    const context = this.#openContext();
    if (!this.#begun) throw new ProtocolError('a transaction ends that did not begin');
    const resumeAt = this.#progress.close();
    batch.add(ChangeKind.commit, null, { resumeAt, commitTimeUs: context.commitTimeUs }, context, this.#at);
    this.#context = null;
    this.#begun = false;
    this.#query = null;
  }

  /** Rows that were told cannot be taken back. Only statements over tables of several engines are logged like this. */
  #rollback(isWhole: boolean, batch: MySqlChangeBatch): void {
    if (this.#begun && this.#hasRows) {
      throw new ResyncRequiredError(
        `A transaction with changes was rolled back in the binlog, at ${this.#describe()}.`,
        {
          code: 'MYSQL_ROLLED_BACK_ROWS',
          remedy:
            'Do not change transactional and other tables in one transaction; run `tailrace resync` to take a new snapshot.',
          position: this.#describe(),
        },
      );
    }
    if (!isWhole) return;
    if (this.#begun) this.#commit(batch);
    else this.#closeGroup(batch);
  }

  #onDdl(
    statement: DdlStatement,
    text: string,
    query: QueryEvent,
    bytes: Buffer,
    start: number,
    batch: MySqlChangeBatch,
  ): boolean {
    const outcome = this.#outcome;
    if (outcome === null) {
      const logged = { text, database: query.database, sqlMode: query.sqlModeLow };
      this.#needed = { kind: 'statement', statement, logged, point: this.#point() };
      return false;
    }
    this.#outcome = null;
    let context = this.#context;
    if (context === null) {
      context = this.#newContext(null, bytes, start, eventTimestamp(bytes, start) * 1_000_000);
      this.#context = context;
    }
    if (this.#begun) this.#setThread(context, query.threadId);
    for (const change of outcome.changes) batch.add(ChangeKind.schema, null, change, context, this.#at);
    if (outcome.truncated.length > 0) {
      batch.add(ChangeKind.truncate, null, { tables: outcome.truncated }, context, this.#at);
    }
    if (!this.#begun) this.#closeGroup(batch);
    return true;
  }

  #onPrepare(bytes: Buffer, start: number, end: number, batch: MySqlChangeBatch): boolean {
    const { onePhase, xid } = parseXaPrepare(bytes, start, end);
    const branch = this.#preparing;
    if (onePhase) return this.#replay(branch ?? this.#progress.branches.get(xid) ?? null, xid, batch);
    if (branch === null) throw new ProtocolError('an XA transaction is prepared that did not start');
    this.#preparing = null;
    this.#context = null;
    this.#progress.prepared(xid, branch);
    return true;
  }

  #onXaCommit(xid: string, query: QueryEvent, batch: MySqlChangeBatch): boolean {
    const branch = this.#progress.branches.get(xid);
    if (branch === undefined) {
      throw new ResyncRequiredError(
        `An XA transaction was committed at ${this.#describe()} that had been prepared before this source began to read.`,
        {
          code: 'MYSQL_XA_PREPARED_BEFORE_START',
          remedy: 'Decide prepared transactions (XA RECOVER) before a source is started; run `tailrace resync`.',
          position: this.#describe(),
        },
      );
    }
    if (!this.#branchIsDone) this.#setThread(this.#openContext(), query.threadId);
    return this.#replay(branch, xid, batch);
  }

  /** First asks for the events of the branch, then, when they were decoded, ends the transaction. */
  #replay(branch: XaBranch | null, xid: string, batch: MySqlChangeBatch): boolean {
    if (!this.#branchIsDone) {
      if (branch === null) throw new ProtocolError('an XA transaction is committed that did not start');
      this.#preparing = null;
      this.#begin(batch);
      this.#replaying = branch;
      this.#needed = { kind: 'branch', branch };
      return false;
    }
    this.#branchIsDone = false;
    this.#progress.decide(xid);
    this.#commit(batch);
    return true;
  }

  #onHeartbeat(bytes: Buffer, start: number, end: number, batch: MySqlChangeBatch): void {
    if (this.#context !== null) return;
    const { file, position } = parseHeartbeat(bytes, start, end);
    const { place } = this.#progress;
    if (file !== place.file || eventType(bytes, start) === EventType.heartbeatV2) place.rotate(file, position);
    this.#heartbeat(batch);
  }

  /** A point between two transactions: everything before it was emitted. */
  #heartbeat(batch: MySqlChangeBatch): void {
    if (this.#context !== null) return;
    const resumeAt = this.#progress.newResumePoint();
    if (resumeAt !== null) batch.add(ChangeKind.heartbeat, null, { resumeAt }, null, this.#at);
  }

  /** The end of a group that was not a transaction: a statement of its own, or nothing. */
  #closeGroup(batch: MySqlChangeBatch): void {
    if (this.#begun) throw new ProtocolError('a transaction has no end');
    if (this.#context === null) return;
    this.#context = null;
    batch.add(ChangeKind.heartbeat, null, { resumeAt: this.#progress.close() }, null, this.#at);
  }

  #otherEvent(type: number, bytes: Buffer, start: number, end: number): void {
    const { tables } = this.#options;
    if (type === EventType.formatDescription) tables.forget();
    else if (type === EventType.executeLoadQuery) tables.checkDml(this.#describe());
    else refuseEvent(type, bytes, start, end, tables, this.#describe());
  }

  /** MariaDB has no statement at the beginning of a transaction, and Debezium no thread. */
  #setThread(context: TransactionContext, threadId: number): void {
    if (this.#options.dialect === 'mysql') context.thread = threadId;
  }

  #newContext(gtid: Gtid | null, bytes: Buffer, start: number, timeUs: number): TransactionContext {
    const { file } = this.#progress.place;
    return new TransactionContext(gtid, eventServerId(bytes, start), file, this.#at, timeUs);
  }

  #openContext(): TransactionContext {
    if (this.#context === null) throw new ProtocolError('a change lies outside of a transaction');
    return this.#context;
  }

  #point(): LogPoint {
    const { file, epoch } = this.#progress.place;
    return { file, position: this.#at, key: logPointKey(epoch, file, this.#at) };
  }

  #describe(): string {
    return `${this.#progress.place.file}:${this.#at}`;
  }

  #located(error: unknown): unknown {
    if (!(error instanceof ProtocolError)) return error;
    const at = this.#describe();
    return new FatalError(`The binlog cannot be read at ${at}: ${error.message}.`, {
      code: 'MYSQL_PROTOCOL',
      remedy: 'Check the file with mysqlbinlog, and that nothing alters the connection; else report it.',
      position: at,
      cause: error,
    });
  }
}

const KINDS: Readonly<Record<number, ChangeKind>> = {
  [EventType.writeRows]: ChangeKind.insert,
  [EventType.writeRowsV1]: ChangeKind.insert,
  [EventType.updateRows]: ChangeKind.update,
  [EventType.updateRowsV1]: ChangeKind.update,
  [EventType.deleteRows]: ChangeKind.delete,
  [EventType.deleteRowsV1]: ChangeKind.delete,
};
