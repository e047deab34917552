import type { Socket } from 'node:net';
import type mysql from 'mysql2';
import type { Clock } from '../../../src/core/clock.ts';
import { type DatabaseConnection, withConfiguredTls } from '../../../src/core/database-connection.ts';
import { FatalError, TailraceError, TransientError } from '../../../src/core/errors.ts';
import { freeBuffer } from '../../../src/core/free-buffer.ts';
import { allocateBuffer } from '../../../src/core/large-buffer.ts';
import { untilAborted } from '../../../src/core/until-aborted.ts';
import { connect, socketOf } from '../connection.ts';
import { PacketAssembler } from '../protocol/packet-assembler.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import {
  Answer,
  closeStatement,
  type EncodedLength,
  execute,
  isEndOfFile,
  parseColumnType,
  parseError,
  parsePrepared,
  parseTextRow,
  prepare,
  query,
  readLength,
} from '../protocol/statement-packets.ts';
import { isTlsUnsupported, mysqlError, serverError } from '../server-error.ts';
import { RowSource } from './row-source.ts';

/** Answers come as the protocol had them before these. */
const FLAGS = ['-CLIENT_QUERY_ATTRIBUTES', '-SESSION_TRACK', '-LOCAL_FILES'];

export type TextRow = readonly (string | null)[];

/** Takes one packet of an answer. */
type Listener = (bytes: Buffer, start: number, end: number, isOwn: boolean) => void;

/**
 * A connection that reads tables: mysql2 connects and authenticates, then the socket is ours. Rows of tables come by
 * prepared statements, whose binary form loses no digit of any number (text rounds a FLOAT to six), and go as bytes into the
 * batches. One statement at a time.
 */
export class ReaderConnection implements AsyncDisposable {
  /** For KILL QUERY. */
  readonly id: number;
  readonly #config: DatabaseConnection;
  readonly #clock: Clock;
  readonly #connection: mysql.Connection;
  readonly #socket: Socket;
  readonly #assembler: PacketAssembler;
  #listener: Listener | null = null;
  /** Of the last statement; null where it was of another kind. */
  #rows: RowSource | null = null;
  /** Rejects the answer that is waited for. */
  #onFailure: (error: unknown) => void = () => {};
  #failure: { readonly error: unknown } | null = null;

  private constructor(config: DatabaseConnection, clock: Clock, connection: mysql.Connection) {
    this.#config = config;
    this.#clock = clock;
    this.#connection = connection;
    this.id = connection.threadId ?? 0;
    this.#socket = socketOf(connection);
    this.#assembler = new PacketAssembler((bytes, start, end, isOwn) => {
      if (this.#listener === null || start === end) throw new ProtocolError('the server sent what was not asked for');
      this.#listener(bytes, start, end, isOwn);
    }, allocateBuffer);
    for (const event of ['data', 'end', 'close', 'error']) this.#socket.removeAllListeners(event);
    this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('error', (error) => this.#fail(mysqlError(error, 'reading a table')));
    this.#socket.on('close', () => this.#fail(lost()));
    this.#socket.resume();
  }

  /** @throws a TailraceError where the server refuses. */
  static async open(config: DatabaseConnection, clock: Clock, signal: AbortSignal): Promise<ReaderConnection> {
    signal.throwIfAborted();
    try {
      return await withConfiguredTls(config, isTlsUnsupported, async (withTls) => {
        let failure: unknown = null;
        const connecting = connect(config, withTls, (error) => (failure ??= error), FLAGS);
        const connection = await untilAborted(connecting, signal).catch((error: unknown) => {
          // Nobody waits for it any more, so nobody would close it.
          connecting.then(
            (late) => late.destroy(),
            () => undefined,
          );
          throw error;
        });
        if (failure !== null) throw failure;
        return new ReaderConnection(config, clock, connection);
      });
    } catch (error) {
      signal.throwIfAborted();
      throw mysqlError(error, 'connecting to read tables');
    }
  }

  get isUsable(): boolean {
    return this.#failure === null && this.#listener === null;
  }

  /** Few rows, as text. @param doing completes "The server failed while …". */
  async query(doing: string, statement: string, signal: AbortSignal): Promise<TextRow[]> {
    const rows: TextRow[] = [];
    let columns = -1;
    let ends = 0;
    await this.#ask(doing, query(statement), signal, (bytes, start, end) => {
      const first = bytes[start];
      if (columns < 0) {
        if (first === Answer.ok) return true;
        columns = countOf(bytes, start, end);
      } else if (isEndOfFile(bytes, start, end)) {
        ends += 1;
        return ends === 2;
      } else if (ends === 1) rows.push(parseTextRow(bytes, start, end));
      return false;
    });
    return rows;
  }

  /** Starts a statement whose rows are taken as bytes: they come when they come, or an error does. */
  async stream(doing: string, statement: string, signal: AbortSignal): Promise<RowSource> {
    let parts = 0;
    let prepared = { id: 0, columns: 0, parameters: 0 };
    await this.#ask(doing, prepare(statement), signal, (bytes, start, end) => {
      parts += 1;
      if (parts === 1) prepared = parsePrepared(bytes, start, end);
      const { columns, parameters } = prepared;
      return parts === 1 + (columns > 0 ? columns + 1 : 0) + (parameters > 0 ? parameters + 1 : 0);
    });
    signal.throwIfAborted();
    return this.#receive(doing, prepared.id);
  }

  #receive(doing: string, statementId: number): RowSource {
    const rows = new RowSource(
      () => this.#socket.pause(),
      () => this.#socket.resume(),
    );
    this.#rows = rows;
    this.#onFailure = (error) => rows.fail(error);
    const atEnd = (): void => {
      this.#listener = null;
      this.#onFailure = () => {};
      this.#socket.write(closeStatement(statementId));
    };
    let columns = -1;
    let isBehindDefinitions = false;
    this.#listener = (bytes, start, end, isOwn) => {
      const first = bytes[start];
      if (first === Answer.error) {
        atEnd();
        const { number, text } = parseError(bytes, start, end);
        rows.fail(serverError(number, text, doing));
      } else if (isBehindDefinitions) {
        if (first === Answer.ok) rows.add(bytes, start, end, isOwn);
        else if (isEndOfFile(bytes, start, end)) {
          atEnd();
          rows.end();
        } else throw new ProtocolError('what follows a row is none');
      } else if (columns < 0) columns = countOf(bytes, start, end);
      else if (rows.types.length < columns) rows.types.push(parseColumnType(bytes, start, end));
      else isBehindDefinitions = true;
    };
    this.#socket.write(execute(statementId));
    return rows;
  }

  /** Sends a command and gives the packets of its answer to `take` until that says that they are all. */
  async #ask(
    doing: string,
    command: Buffer,
    signal: AbortSignal,
    take: (bytes: Buffer, start: number, end: number) => boolean,
  ): Promise<void> {
    signal.throwIfAborted();
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#listener !== null) throw busy();
    const answer = Promise.withResolvers<void>();
    this.#rows = null;
    this.#onFailure = answer.reject;
    this.#listener = (bytes, start, end) => {
      if (bytes[start] === Answer.error) {
        this.#listener = null;
        const { number, text } = parseError(bytes, start, end);
        answer.reject(serverError(number, text, doing));
      } else if (take(bytes, start, end)) {
        this.#listener = null;
        answer.resolve();
      }
    };
    this.#socket.resume();
    this.#socket.write(command);
    const timeoutMs = this.#config.queryTimeoutMs;
    const stop = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    try {
      await untilAborted(answer.promise, stop);
    } catch (error) {
      if (!stop.aborted) throw error;
      this.#fail(late(timeoutMs, doing));
      signal.throwIfAborted();
      throw late(timeoutMs, doing);
    }
  }

  #onData(chunk: Buffer): void {
    try {
      this.#assembler.push(chunk);
      freeBuffer(chunk);
    } catch (error) {
      this.#fail(error instanceof TailraceError ? error : unreadable(error));
    }
    this.#rows?.endOfRead(this.#clock.nowMs());
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onFailure(error);
    this.#socket.destroy();
    this.#connection.destroy();
  }

  /** Ends at once, whatever is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(lost());
  }
}

function countOf(bytes: Buffer, start: number, end: number): number {
  const length: EncodedLength = { value: 0, end: 0 };
  readLength(bytes, start, end, length);
  if (length.value < 1) throw new ProtocolError('a result without columns');
  return length.value;
}

function lost(): TransientError {
  return new TransientError('The connection that reads tables was closed.', {
    code: 'MYSQL_CONNECTION_LOST',
    remedy: 'It is made again; if this repeats, look at the server and the network.',
  });
}

function late(timeoutMs: number, doing: string): TransientError {
  return new TransientError(`The server did not answer within ${timeoutMs} ms while ${doing}.`, {
    code: 'MYSQL_QUERY_TIMEOUT',
    remedy: 'Look for locks and load on the server, or raise query_timeout.',
  });
}

function busy(): FatalError {
  return new FatalError('A statement was sent while another one ran on the same connection.', {
    code: 'MYSQL_READER_BUSY',
    remedy: 'Report this.',
  });
}

function unreadable(cause: unknown): FatalError {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new FatalError(`The answer of the server cannot be read: ${words}.`, {
    code: 'MYSQL_PROTOCOL',
    remedy: 'Check that nothing alters the connection; else report it.',
    cause,
  });
}
