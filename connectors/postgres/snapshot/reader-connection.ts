import type { Socket } from 'node:net';
import pg from 'pg';
import { withConfiguredTls } from '../../../src/core/database-connection.ts';
import { codeOf } from '../../../src/core/error-classification.ts';
import { FatalError, TransientError } from '../../../src/core/errors.ts';
import { freeBuffer } from '../../../src/core/free-buffer.ts';
import { allocateBuffer } from '../../../src/core/large-buffer.ts';
import { MessageInbox } from '../../../src/core/message-inbox.ts';
import { StatementQueue } from '../../../src/core/statement-queue.ts';
import { untilAborted } from '../../../src/core/until-aborted.ts';
import type { ConnectionConfig } from '../config.ts';
import { clientConfig, type SqlQueries, socketOf } from '../connection.ts';
import { CopyRowFramer } from '../protocol/copy-row-framer.ts';
import type { ServerFacts } from '../server-facts.ts';
import { isTlsUnsupported, postgresError } from '../sql-state.ts';
import { CopyRows } from './copy-rows.ts';

const STOP_DEADLINE_MS = 5_000;
const CANCEL_AGAIN_MS = 100;
const QUERY_CANCELED = '57014';
const SAVEPOINT = 'tailrace_read';

/**
 * A connection that reads in a transaction. The transaction is lost with it, so it is never made again by itself. The driver
 * connects and runs statements; the rows of a COPY are taken from the socket, because the driver makes an object for each.
 */
export class ReaderConnection implements SqlQueries, AsyncDisposable {
  readonly #config: ConnectionConfig;
  readonly #client: pg.Client;
  readonly #socket: Socket;
  /** Beside this connection: ends its statements, and tells whether the server still works on them. */
  readonly #control: SqlQueries;
  readonly #statements = new StatementQueue();
  readonly #inbox: MessageInbox;
  #copy: CopyRows | null = null;
  #isBroken = false;

  private constructor(config: ConnectionConfig, client: pg.Client, control: SqlQueries) {
    this.#config = config;
    this.#client = client;
    this.#control = control;
    const socket = socketOf(client);
    this.#socket = socket;
    this.#inbox = new MessageInbox({ pause: () => socket.pause(), resume: () => socket.resume() });
    client.on('error', () => this.#break());
    client.on('end', () => this.#break());
    this.#takeOver(socket);
  }

  static async connect(
    config: ConnectionConfig,
    purpose: string,
    control: SqlQueries,
    server: ServerFacts,
    signal: AbortSignal,
  ): Promise<ReaderConnection> {
    signal.throwIfAborted();
    const client = await withConfiguredTls(config, isTlsUnsupported, async (withTls) => {
      const attempt = new pg.Client(clientConfig(config, withTls, purpose));
      // `connect` reports it; an unheard event would end the process.
      const ignore = () => undefined;
      attempt.on('error', ignore);
      try {
        await untilAborted(attempt.connect(), signal);
      } catch (error) {
        socketOf(attempt).destroy();
        signal.throwIfAborted();
        throw postgresError(error, 'connecting');
      }
      return attempt;
    });
    const connection = new ReaderConnection(config, client, control);
    try {
      // Nothing may end a transaction that reads but its reader; it is not to take more of the server than one process. Ranges
      // are read in the order of their index: however little it costs to sort a table once, it would be done for each chunk.
      const noLimit = server.version >= 17 ? '; SET transaction_timeout = 0' : '';
      const settings = `SET max_parallel_workers_per_gather = 0; SET jit = off; SET enable_sort = off${noLimit}`;
      await connection.query('setting up a reader', settings, [], signal);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return connection;
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  get #pid(): number {
    return (this.#client as unknown as { processID: number }).processID;
  }

  /** As `SqlConnection.query`; an error leaves the transaction to be rolled back. */
  query<R extends pg.QueryResultRow>(
    doing: string,
    sql: string,
    values: readonly unknown[],
    signal: AbortSignal,
    timeoutMs = this.#config.queryTimeoutMs,
  ): Promise<R[]> {
    return this.#statements.run<R[]>(
      {
        execute: async () => {
          if (this.#isBroken) throw this.#lost(doing);
          return (await this.#client.query<R>(sql, values.length === 0 ? undefined : [...values])).rows;
        },
        timeoutMs,
        abandon: () => this.destroy(),
        late: () => this.#late(doing, timeoutMs),
        classify: (error) => postgresError(error, doing),
      },
      signal,
    );
  }

  /** To be called once the transaction has its snapshot: what fails or is ended from then on leaves it as it was. */
  async allowCopies(signal: AbortSignal): Promise<void> {
    await this.query('setting a savepoint', `SAVEPOINT ${SAVEPOINT}`, [], signal);
  }

  /** Starts a COPY of rows to here. Ends with `finish`, whatever happens in between. */
  copy(doing: string, sql: string): CopyRows {
    if (this.#isBroken) throw this.#lost(doing);
    if (this.#copy !== null) {
      throw new FatalError('Two chunks were read by the same reader at the same time.', {
        code: 'POSTGRES_SNAPSHOT_CALLS',
        remedy: 'Report this: the calls of a snapshot came in the wrong order.',
      });
    }
    const rows = new CopyRows(this.#inbox, () => this.#socket.resume());
    this.#copy = rows;
    // The extended protocol takes one statement: a filter cannot smuggle in another.
    const statement: pg.QueryConfig & { readonly queryMode: 'extended' } = { text: sql, queryMode: 'extended' };
    this.#client.query(statement).then(
      () => rows.end(null),
      (error: unknown) => rows.end(postgresError(error, doing)),
    );
    return rows;
  }

  /** Makes the transaction fit for another COPY: the server stops what it still does, and rows on their way are dropped. */
  async finish(rows: CopyRows): Promise<void> {
    try {
      if (!rows.isEnded || rows.failure !== null) await this.#stop(rows);
    } catch (error) {
      // Whoever uses it next meets the broken connection.
      if (!this.#isBroken) this.destroy();
      if (!(error instanceof Error)) throw error;
    } finally {
      rows.discard();
      this.#copy = null;
    }
  }

  async #stop(rows: CopyRows): Promise<void> {
    const deadline = AbortSignal.timeout(STOP_DEADLINE_MS);
    rows.discard();
    this.#socket.resume();
    // The first one may come before the statement, and then does nothing.
    while (!rows.isEnded) {
      await this.#control.query('ending a read', 'SELECT pg_catalog.pg_cancel_backend($1)', [this.#pid], deadline);
      await rows.awaitEnd(CANCEL_AGAIN_MS, deadline);
    }
    if (rows.failure === null || this.#isBroken) return;
    const rollback = `ROLLBACK TO SAVEPOINT ${SAVEPOINT}`;
    try {
      await this.query('ending a read', rollback, [], deadline);
    } catch (error) {
      // The cancellation may have come too late for the COPY.
      if (codeOf((error as Error).cause) !== QUERY_CANCELED) throw error;
      await this.query('ending a read', rollback, [], deadline);
    }
  }

  /** Makes the connection fit for the next transaction, or ends it. */
  async endTransaction(deadline: AbortSignal): Promise<void> {
    if (this.#isBroken) return;
    try {
      if (this.#copy !== null) await this.finish(this.#copy);
      await this.query('ending a view', 'ROLLBACK', [], deadline);
    } catch (error) {
      // The transaction ends with its connection as well.
      this.destroy();
      if (!(error instanceof Error)) throw error;
    }
  }

  /**
   * Asks beside this connection whether the server still works on its statement: how long that takes has no limit of ours,
   * as a filter may leave one row of a billion.
   * @throws TransientError where it does not, or does not answer.
   */
  async confirmAtWork(doing: string, signal: AbortSignal): Promise<void> {
    const [row] = await this.#control.query<{ active: boolean }>(
      'looking after a read',
      `SELECT state = 'active' AS active FROM pg_catalog.pg_stat_activity WHERE pid = $1`,
      [this.#pid],
      signal,
    );
    if (row?.active === true) return;
    this.destroy();
    throw this.#lost(doing);
  }

  /** Takes the place of the driver at the socket, which stands at a message boundary: every answer was read. */
  #takeOver(socket: Socket): void {
    const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
    socket.removeAllListeners('data');
    let isLent = false;
    const framer = new CopyRowFramer(
      {
        row: (bytes, start, end, isOwn) => this.#copy?.add(bytes, start, end, isOwn),
        other: (message) => {
          isLent = true;
          for (const listener of listeners) listener.call(socket, message);
        },
      },
      allocateBuffer,
    );
    socket.on('data', (chunk: Buffer) => {
      isLent = false;
      this.#copy?.heard();
      try {
        framer.push(chunk);
        if (!isLent) freeBuffer(chunk);
      } catch (error) {
        // Thrown here it would end the process; the driver gives it to the statement that is running.
        socket.destroy(postgresError(error, 'reading rows'));
      }
      this.#inbox.endOfRead(Date.now());
      // It may have been listened to for one row more.
      if (this.#inbox.isPaused && !this.#inbox.isEmpty) socket.pause();
    });
  }

  #break(): void {
    this.#isBroken = true;
  }

  #lost(doing: string): TransientError {
    return new TransientError(`The connection to Postgres was lost while ${doing}.`, {
      code: 'POSTGRES_CONNECTION_LOST',
      remedy: "The connection is made again; if this repeats, look at the server's log.",
    });
  }

  #late(doing: string, timeoutMs: number): TransientError {
    return new TransientError(`Postgres did not answer within ${timeoutMs} ms while ${doing}.`, {
      code: 'POSTGRES_QUERY_TIMEOUT',
      remedy: 'Look for locks and load on the server, or raise query_timeout.',
    });
  }

  /** Ends the connection at once, and with it the transaction. */
  destroy(): void {
    this.#isBroken = true;
    this.#socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isBroken) {
      this.#socket.destroy();
      return;
    }
    this.#isBroken = true;
    const hung = setTimeout(() => this.#socket.destroy(), 1000);
    this.#socket.resume();
    await this.#client.end();
    clearTimeout(hung);
  }
}
