import type { Socket } from 'node:net';
import type pg from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import type { Clock } from '../../src/core/clock.ts';
import { withConfiguredTls } from '../../src/core/database-connection.ts';
import { ResyncRequiredError, TransientError } from '../../src/core/errors.ts';
import { freeBuffer } from '../../src/core/free-buffer.ts';
import { allocateBuffer } from '../../src/core/large-buffer.ts';
import type { Logger } from '../../src/core/logger.ts';
import { MessageInbox } from '../../src/core/message-inbox.ts';
import type { ConnectionConfig } from './config.ts';
import { clientConfig, socketOf } from './connection.ts';
import { CopyStreamFramer } from './protocol/copy-stream-framer.ts';
import { compareLsn, LSN_ZERO, type Lsn } from './protocol/lsn.ts';
import { encodeStandbyStatus } from './protocol/standby-status.ts';
import { createTemporarySlotCommand, startReplicationCommand } from './protocol/start-replication.ts';
import { type ServerFacts, serverIdentity } from './server-facts.ts';
import { isTlsUnsupported, postgresError } from './sql-state.ts';

export interface ReplicationOptions {
  readonly connection: ConnectionConfig;
  readonly slot: string;
  /** Creates the slot first, for this connection alone: the server drops it when the connection ends. */
  readonly temporarySlot?: boolean;
  readonly publications: readonly string[];
  /** The server that it has to be; null where any will do. */
  readonly server: Pick<ServerFacts, 'systemIdentifier' | 'timeline' | 'isStandby'> | null;
  /** Longest time between two status messages. */
  readonly statusIntervalMs: number;
  /** Silence after which the connection counts as dead, although the server was asked for a sign of life. */
  readonly silenceLimitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const STOP_DEADLINE_MS = 2000;
/** SQLSTATE of the warning with which Postgres 18 skips a publication that does not exist at that point of the log. */
const SKIPPED_PUBLICATION_STATE = '55000';

interface ReplicationPlugin {
  readonly name: string;
  start(client: pg.Client, slot: string, lsn: string): Promise<unknown>;
}

/**
 * The connection that owns the slot. `pg-logical-replication` connects and starts the stream; the stream itself is ours. What
 * it would do with positions loses changes (it confirms what was received, and one byte more than it was told), and its
 * way from the socket to a plugin makes four objects and a text for each message.
 * Until something is acknowledged nothing is confirmed to the server.
 */
export class ReplicationConnection implements AsyncDisposable {
  readonly inbox: MessageInbox;
  readonly #options: ReplicationOptions;
  readonly #service: LogicalReplicationService;
  readonly #started = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<void>();
  #client: pg.Client | null = null;
  #socket: Socket | null = null;
  #statusTimer: NodeJS.Timeout | null = null;
  #receivedHigh = 0;
  #receivedLow = 0;
  #acknowledged: Lsn = LSN_ZERO;
  #heardAtMs: number;
  /** Monotonic: a clock that is set must neither end a stream nor keep a dead one. */
  #silentSinceMs = performance.now();
  #stopping = false;

  private constructor(options: ReplicationOptions, withTls: boolean) {
    this.#options = options;
    this.#heardAtMs = options.clock.nowMs();
    this.inbox = new MessageInbox({ pause: () => this.#socket?.pause(), resume: () => this.#resume() });
    this.#service = new LogicalReplicationService(clientConfig(options.connection, withTls, `stream ${options.slot}`), {
      acknowledge: { auto: false, timeoutSeconds: 0 },
      flowControl: { enabled: false },
    });
    this.#service.on('error', (error) => this.#fail(postgresError(error, 'streaming')));
    this.#service.on('start', () => this.#started.resolve());
  }

  /**
   * Starts to stream from the slot's confirmed position: from then on no other process can.
   * @throws TransientError with code POSTGRES_SLOT_IN_USE while another one does.
   */
  static async start(options: ReplicationOptions, signal: AbortSignal): Promise<ReplicationConnection> {
    signal.throwIfAborted();
    return withConfiguredTls(options.connection, isTlsUnsupported, async (withTls) => {
      const connection = new ReplicationConnection(options, withTls);
      try {
        await connection.#start(signal);
      } catch (error) {
        await connection.#close();
        throw error;
      }
      return connection;
    });
  }

  get lastHeardAtMs(): number {
    // While reading is paused, silence says nothing about the server.
    return this.inbox.isPaused ? this.#options.clock.nowMs() : this.#heardAtMs;
  }

  /** Process id of the walsender: what `active_pid` of the slot is while it is ours. */
  get serverPid(): number | null {
    return (this.#client as unknown as { processID: number | null } | null)?.processID ?? null;
  }

  /** End of what arrived, keepalives included: how far the server has read its log for us. */
  get received(): Lsn {
    return { high: this.#receivedHigh, low: this.#receivedLow };
  }

  get acknowledged(): Lsn {
    return this.#acknowledged;
  }

  /** The server may forget everything up to `lsn`. Never moves back. */
  acknowledge(lsn: Lsn): void {
    if (compareLsn(lsn, this.#acknowledged) <= 0) return;
    this.#acknowledged = lsn;
    this.#sendStatus(false);
  }

  /**
   * Ends the stream of a server that is shutting down: a fast shutdown waits until every walsender's reader has confirmed
   * everything, and one that cannot publish confirms nothing. Who pulls learns of it when what was received is used up.
   */
  async release(): Promise<void> {
    if (this.#stopping) return;
    this.#fail(ended());
    await this[Symbol.asyncDispose]();
  }

  async #start(signal: AbortSignal): Promise<void> {
    const plugin: ReplicationPlugin = {
      name: 'tailrace',
      start: (client) => this.#begin(client),
    };
    // The driver does not export the type of its plugins, only uses it.
    type DriverPlugin = Parameters<LogicalReplicationService['subscribe']>[0];
    const stream = this.#service.subscribe(plugin as unknown as DriverPlugin, this.#options.slot, '0/0');
    stream.then(
      () => this.#end(null),
      (error: unknown) => this.#end(error),
    );
    const onAbort = () => this.#started.reject(signal.reason);
    const deadline = setTimeout(
      () => this.#started.reject(this.#silent('starting to stream')),
      this.#options.connection.queryTimeoutMs,
    );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#started.promise;
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
    }
    this.#statusTimer = setInterval(() => this.#tick(), this.#options.statusIntervalMs);
    this.#sendStatus(false);
  }

  async #begin(client: pg.Client): Promise<unknown> {
    const { slot, publications, temporarySlot = false } = this.#options;
    this.#client = client;
    this.#socket = socketOf(client);
    this.#takeOver(this.#socket);
    client.on('notice', (notice) => this.#notice(notice));
    await this.#requireServer(client);
    if (temporarySlot) await client.query(createTemporarySlotCommand(slot));
    return client.query(startReplicationCommand(slot, publications, 2));
  }

  /**
   * The address may lead to another server than a moment ago, which has a slot of this name too: what the verdict on the
   * checkpoint was made of would not be what is read. The timeline of a standby follows its primary's.
   */
  async #requireServer(client: pg.Client): Promise<void> {
    const { server } = this.#options;
    if (server === null) return;
    const { rows } = await client.query<{ systemid: string; timeline: number }>('IDENTIFY_SYSTEM');
    const [found] = rows;
    const isSame = found?.systemid === server.systemIdentifier;
    if (isSame && (server.isStandby || Number(found?.timeline) === server.timeline)) return;
    const expected = serverIdentity(server);
    throw new TransientError(
      `The address led to the server ${expected}, and a moment later to ${found?.systemid}:${found?.timeline}.`,
      {
        code: 'POSTGRES_SERVER_MOVED',
        remedy: 'The source starts again and looks at the server anew. If this repeats, see what the address leads to.',
      },
    );
  }

  /**
   * Takes the place of the driver at the socket, which stands at a message boundary: the server has answered everything so
   * far. The driver gets only what is not part of the stream. Whatever is thrown here would otherwise end the process as an
   * uncaught exception of the socket.
   */
  #takeOver(socket: Socket): void {
    const listeners = socket.listeners('data') as ((chunk: Buffer) => void)[];
    socket.removeAllListeners('data');
    let isLent = false;
    const framer = new CopyStreamFramer(
      {
        walData: (bytes, start, end, high, low, isOwn) => this.#receive(bytes, start, end, high, low, isOwn),
        keepalive: (high, low, wantsReply) => this.#keepalive(high, low, wantsReply),
        other: (message) => {
          isLent = true;
          for (const listener of listeners) listener.call(socket, message);
        },
      },
      allocateBuffer,
    );
    socket.on('data', (chunk: Buffer) => {
      const nowMs = this.#options.clock.nowMs();
      this.#heardAtMs = nowMs;
      this.#silentSinceMs = performance.now();
      isLent = false;
      try {
        framer.push(chunk);
        // The socket makes a buffer for each read. Those of one large message would be tens of megabytes of garbage.
        if (!isLent) freeBuffer(chunk);
      } catch (error) {
        this.#fail(postgresError(error, 'reading the stream'));
        socket.destroy();
      }
      this.inbox.endOfRead(nowMs);
    });
  }

  #receive(bytes: Buffer, start: number, end: number, high: number, low: number, isOwn: boolean): void {
    if (this.#stopping) return;
    this.inbox.addMessage(bytes, start, end, high, low, isOwn);
    this.#noteReceived(high, low);
  }

  #keepalive(high: number, low: number, wantsReply: boolean): void {
    if (this.#stopping) return;
    this.inbox.addKeepalive(high, low);
    this.#noteReceived(high, low);
    if (wantsReply) this.#sendStatus(false);
  }

  #noteReceived(high: number, low: number): void {
    if (high < this.#receivedHigh || (high === this.#receivedHigh && low <= this.#receivedLow)) return;
    this.#receivedHigh = high;
    this.#receivedLow = low;
  }

  #notice(notice: { code?: string | undefined; message?: string | undefined; severity?: string | undefined }): void {
    const { code, message = '', severity } = notice;
    this.#options.logger.warn({ sqlState: code, severity }, `Postgres says while streaming: ${message}`);
    if (severity === 'WARNING' && code === SKIPPED_PUBLICATION_STATE) {
      this.#fail(
        new ResyncRequiredError(`Postgres left changes out of the stream: ${message}.`, {
          code: 'POSTGRES_PUBLICATION_MISSING',
          remedy: 'The publication was dropped: changes since then were not decoded. Run `tailrace resync`.',
        }),
      );
    }
  }

  #resume(): void {
    // The server was not listened to: its silence begins now.
    this.#silentSinceMs = performance.now();
    this.#socket?.resume();
  }

  #tick(): void {
    const silentMs = this.inbox.isPaused ? 0 : performance.now() - this.#silentSinceMs;
    if (silentMs > this.#options.silenceLimitMs) {
      this.#fail(this.#silent('streaming'));
      this.#socket?.destroy();
      return;
    }
    // An idle server sends nothing unless asked, because our statuses keep it content.
    this.#sendStatus(!this.inbox.isPaused && silentMs >= this.#options.statusIntervalMs / 2);
  }

  #sendStatus(requestReply: boolean): void {
    const connection = connectionOf(this.#client);
    if (connection === null || this.#socket === null || !this.#socket.writable) return;
    const { received } = this;
    const written = compareLsn(received, this.#acknowledged) < 0 ? this.#acknowledged : received;
    const nowUs = this.#options.clock.nowUs();
    connection.sendCopyFromChunk(encodeStandbyStatus({ written, flushed: this.#acknowledged, nowUs, requestReply }));
  }

  #silent(doing: string): TransientError {
    return new TransientError(`Postgres gave no sign of life while ${doing}.`, {
      code: 'POSTGRES_SILENT',
      remedy: 'The connection is made again; if this repeats, look at the network and at the server.',
    });
  }

  #fail(error: unknown): void {
    this.#started.reject(error);
    if (!this.#stopping) this.inbox.fail(error);
  }

  #end(error: unknown): void {
    this.#fail(error === null ? ended() : postgresError(error, 'streaming'));
    this.#ended.resolve();
  }

  /** Sends the last acknowledged position, lets the server read it and end the stream, then closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopping) return this.#ended.promise;
    this.#stopping = true;
    const connection = connectionOf(this.#client);
    if (this.#socket?.writable === true && connection !== null) {
      this.#sendStatus(false);
      connection.endCopyFrom();
      // What the server still sends is dropped; it must be read for the server's answer to arrive.
      this.#socket.resume();
      const cut = Promise.withResolvers<void>();
      const deadline = setTimeout(cut.resolve, STOP_DEADLINE_MS);
      await Promise.race([this.#ended.promise, cut.promise]);
      clearTimeout(deadline);
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#stopping = true;
    if (this.#statusTimer !== null) clearInterval(this.#statusTimer);
    this.#statusTimer = null;
    const hung = setTimeout(() => this.#socket?.destroy(), STOP_DEADLINE_MS);
    try {
      await this.#service.destroy();
    } finally {
      clearTimeout(hung);
      // Errors after this are of a connection that nobody uses.
      this.#service.on('error', () => undefined);
    }
  }
}

function ended(): TransientError {
  return new TransientError('Postgres ended the stream.', {
    code: 'POSTGRES_STREAM_ENDED',
    remedy: 'The server is shutting down or the walsender was terminated; the connection is made again.',
  });
}

interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}

/** The driver's wire connection: the only way to write into a COPY stream. */
function connectionOf(client: pg.Client | null): CopyConnection | null {
  return client === null ? null : (client as unknown as { connection: CopyConnection }).connection;
}
