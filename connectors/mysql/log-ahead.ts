import { TailraceError } from '../../src/core/errors.ts';
import type { Row, SqlConnection } from './connection.ts';
import { ANSI_QUOTES } from './protocol/query-event.ts';
import { numberOf } from './server-error.ts';
import { type LogHead, readBinlogFiles, readHead, type ServerFacts } from './server-facts.ts';
import { type DdlStatement, readStatement, type TableName } from './statement.ts';

/** A place between events. */
export interface LogSpot {
  readonly file: string;
  readonly position: number;
}

/** DDL that the server logged at a place. */
interface AheadStatement extends LogSpot {
  readonly statement: DdlStatement;
}

/** How far ahead is looked: servers before 5.7 let nobody write to the log while they list a page of it. */
const MOST_BYTES = 32 * 1024 * 1024;
const PAGE_EVENTS = 500;
const DEFAULT_DATABASE = /^use `((?:[^`]|``)*)`; /;

interface EventRow extends Row {
  readonly Pos: number | string;
  readonly Event_type: string;
  readonly Info: string | null;
}

/**
 * Which DDL lies between a place of the log and its end: a catalog that was read, and has no DDL about a table behind a
 * place, is that table's at the place. What was looked through once is not again.
 */
export class LogAhead {
  readonly #sql: SqlConnection;
  readonly #server: ServerFacts;
  #from: LogSpot | null = null;
  #to: LogSpot = { file: '', position: 0 };
  #statements: AheadStatement[] = [];

  constructor(sql: SqlConnection, server: ServerFacts) {
    this.#sql = sql;
    this.#server = server;
  }

  /**
   * DDL after the event at `spot` up to the end of the log at this moment; null where that is too far away, or not to be
   * read any more.
   */
  async statementsAfter(spot: LogSpot, signal: AbortSignal): Promise<readonly DdlStatement[] | null> {
    const head = await readHead(this.#sql, this.#server, signal);
    if (spot.file === '' || compare(head, spot) < 0) return null;
    const isCovered = this.#from !== null && compare(this.#from, spot) <= 0 && compare(spot, this.#to) <= 0;
    if (!isCovered) {
      this.#from = spot;
      this.#to = spot;
      this.#statements = [];
    }
    if (!(await this.#extend(head, signal))) {
      this.#from = null;
      return null;
    }
    this.#statements = this.#statements.filter((each) => compare(each, spot) >= 0);
    this.#from = spot;
    return this.#statements.filter((each) => compare(each, spot) > 0).map(({ statement }) => statement);
  }

  async #extend(head: LogHead, signal: AbortSignal): Promise<boolean> {
    if (compare(this.#to, head) >= 0) return true;
    const files = await readBinlogFiles(this.#sql, signal);
    const first = files.findIndex(({ name }) => name === this.#to.file);
    const last = files.findIndex(({ name }) => name === head.file);
    if (first < 0 || last < 0) return false;
    const wanted = files.slice(first, last + 1);
    const bytes = wanted.reduce((sum, file) => sum + file.bytes, 0) - this.#to.position;
    if (bytes > MOST_BYTES) return false;
    for (const { name } of wanted) {
      const start = name === this.#to.file ? this.#to.position : 4;
      const end = name === head.file ? head.position : Number.POSITIVE_INFINITY;
      if (!(await this.#read(name, start, end, signal))) return false;
    }
    this.#to = { file: head.file, position: head.position };
    return true;
  }

  /** Takes the statements of a file between two positions. */
  async #read(file: string, start: number, end: number, signal: AbortSignal): Promise<boolean> {
    let position = start;
    for (let isFirst = true; position < end; isFirst = false) {
      const rows = await this.#page(file, position, signal);
      if (rows === null) return false;
      // Each page begins with the last event of the one before.
      const fresh = isFirst ? rows : rows.slice(1);
      for (const row of fresh) if (!this.#take(row, file)) return false;
      const lastPosition = Number(rows.at(-1)?.Pos ?? position);
      if (rows.length < PAGE_EVENTS || lastPosition === position) return true;
      position = lastPosition;
    }
    return true;
  }

  async #page(file: string, position: number, signal: AbortSignal): Promise<EventRow[] | null> {
    const doing = 'looking for DDL in the binlog';
    try {
      const sql = 'SHOW BINLOG EVENTS IN ? FROM ? LIMIT ?';
      return await this.#sql.query<EventRow>(doing, sql, [file, position, PAGE_EVENTS], signal);
    } catch (error) {
      // ER_ERROR_WHEN_EXECUTING_COMMAND: the file is gone, or no event starts there.
      if (error instanceof TailraceError && numberOf(error.cause) === 1220) return null;
      throw error;
    }
  }

  /** @returns false for a text that was not told as it is. */
  #take({ Pos, Event_type, Info }: EventRow, file: string): boolean {
    if (!/^query/i.test(Event_type) || Info === null || Info === 'BEGIN' || Info === 'COMMIT') return true;
    const [use = '', quoted = ''] = DEFAULT_DATABASE.exec(Info) ?? [];
    const text = Info.slice(use.length);
    const database = quoted.replaceAll('``', '`');
    const position = Number(Pos);
    for (const sqlMode of text.includes('"') ? [0, ANSI_QUOTES] : [0]) {
      const statement = readStatement(text, database, sqlMode);
      if (statement.kind !== 'table' && statement.kind !== 'database') continue;
      if (Info.includes('\ufffd')) return false;
      this.#statements.push({ file, position, statement });
    }
    return true;
  }
}

function compare(one: LogSpot, other: LogSpot): number {
  if (one.file !== other.file) return fileNumber(one.file) - fileNumber(other.file);
  return one.position - other.position;
}

function fileNumber(file: string): number {
  return Number(/\.(\d+)$/.exec(file)?.[1] ?? 0);
}

/** Whether a statement can have changed the columns or keys of the table. */
export function concerns(statement: DdlStatement, { database, table }: TableName, fold: (name: string) => string) {
  if (statement.kind === 'database') return statement.verb === 'drop' && fold(statement.database) === fold(database);
  if (statement.temporary || statement.verb === 'truncate') return false;
  return (
    statement.tables === null ||
    statement.tables.some((name) => fold(name.database) === fold(database) && fold(name.table) === fold(table))
  );
}
