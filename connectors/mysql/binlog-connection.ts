import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type mysql from 'mysql2';
import type { Clock } from '../../src/core/clock.ts';
import { type DatabaseConnection, withConfiguredTls } from '../../src/core/database-connection.ts';
import { FatalError, TailraceError, TransientError } from '../../src/core/errors.ts';
import { freeBuffer } from '../../src/core/free-buffer.ts';
import { allocateBuffer } from '../../src/core/large-buffer.ts';
import { MessageInbox } from '../../src/core/message-inbox.ts';
import { isCompressed, uncompressEvent } from './compressed-event.ts';
import { connect, runStatement, socketOf } from './connection.ts';
import { eventChecksum } from './event-checksum.ts';
import type { Dialect } from './mysql-type.ts';
import { PayloadReader } from './payload-reader.ts';
import { PayloadSpill } from './payload-spill.ts';
import { EventType, eventType, HEADER_BYTES } from './protocol/binlog-event.ts';
import { binlogDump, binlogDumpGtid, DumpFlag, registerReplica } from './protocol/dump-commands.ts';
import { CHECKSUM_BYTES, parseFormatDescription } from './protocol/format-description.ts';
import { GtidSet } from './protocol/gtid-set.ts';
import { encodeGtidSet } from './protocol/gtid-set-encoding.ts';
import { PacketFramer } from './protocol/packet-framer.ts';
import { ProtocolError } from './protocol/protocol-error.ts';
import { isTlsUnsupported, mysqlError, streamError } from './server-error.ts';
import { IDENTITY_VARIABLE } from './server-facts.ts';

/** Where a dump starts. */
export type DumpStart =
  | { readonly kind: 'file'; readonly file: string; readonly position: number }
  /** Everything but these, for MySQL a GTID set, for MariaDB a GTID position. */
  | { readonly kind: 'gtids'; readonly executed: string };

export interface BinlogConnectionOptions {
  readonly connection: DatabaseConnection;
  readonly dialect: Dialect;
  /** Of the server that it has to be. */
  readonly identity: string;
  readonly serverId: number;
  readonly start: DumpStart;
  readonly heartbeatPeriodMs: number;
  /** Silence after which the connection counts as dead. */
  readonly silenceLimitMs: number;
  readonly clock: Clock;
}

/** How long the server may wait for us to read, in seconds: a source that is paused keeps its dump. */
const NET_WRITE_TIMEOUT_S = 7 * 24 * 3600;
const TICK_MS = 1000;
/** Compressed transactions from this size on are not kept in memory. */
const SPILLED_BYTES = 4 * 1024 * 1024;
/** The server has no larger packet. */
const MAX_EVENT_BYTES = 1024 * 1024 * 1024;

/**
 * The connection that reads the binlog. mysql2 connects and authenticates; then the socket is ours: what the driver would
 * do with the stream copies each packet and queues without bound.
 */
export class BinlogConnection implements AsyncDisposable {
  readonly inbox: MessageInbox;
  readonly #options: BinlogConnectionOptions;
  readonly #connection: mysql.Connection;
  readonly #socket: Socket;
  readonly #framer: PacketFramer;
  readonly #payloads: PayloadReader;
  readonly #ticker: NodeJS.Timeout;
  #isRegistered = false;
  #hasChecksums: boolean;
  #heardAtMs: number;
  /** Monotonic: a clock that is set must neither end a stream nor keep a dead one. */
  #silentSinceMs = performance.now();
  #isPaused = false;
  #closed = false;

  private constructor(options: BinlogConnectionOptions, connection: mysql.Connection, hasChecksums: boolean) {
    this.#options = options;
    this.#connection = connection;
    this.#hasChecksums = hasChecksums;
    this.#heardAtMs = options.clock.nowMs();
    this.#socket = socketOf(connection);
    this.inbox = new MessageInbox({ pause: () => this.#pause(), resume: () => this.#resume() });
    this.#payloads = new PayloadReader(this.inbox, () => this.inbox.endOfRead(options.clock.nowMs()));
    this.#framer = new PacketFramer(
      {
        event: (bytes, start, end, isOwn) => this.#onEvent(bytes, start, end, isOwn),
        spill: (head, size) => this.#spill(head, size),
        error: (number, text) => this.#fail(streamError(number, text)),
        endOfFile: () => this.#fail(ended()),
      },
      allocateBuffer,
    );
    this.#takeOver();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
  }

  /** @throws a TailraceError where the server refuses. A refusal of the dump itself is met when reading. */
  static async start(options: BinlogConnectionOptions, signal: AbortSignal): Promise<BinlogConnection> {
    signal.throwIfAborted();
    try {
      return await withConfiguredTls(options.connection, isTlsUnsupported, async (withTls) => {
        let failure: unknown = null;
        const connection = await connect(options.connection, withTls, (error) => {
          failure ??= error;
        });
        const deadline = setTimeout(() => connection.destroy(), options.connection.queryTimeoutMs);
        const onAbort = () => connection.destroy();
        signal.addEventListener('abort', onAbort, { once: true });
        try {
          const hasChecksums = await prepareSession(connection, options);
          if (failure !== null) throw failure;
          return new BinlogConnection(options, connection, hasChecksums);
        } catch (error) {
          connection.destroy();
          throw error;
        } finally {
          clearTimeout(deadline);
          signal.removeEventListener('abort', onAbort);
        }
      });
    } catch (error) {
      signal.throwIfAborted();
      throw mysqlError(error, 'starting to read the binlog');
    }
  }

  get lastHeardAtMs(): number {
    // While reading is paused, silence says nothing about the server.
    return this.#isPaused ? this.#options.clock.nowMs() : this.#heardAtMs;
  }

  /** Takes the place of the driver at the socket, which stands between two commands, and asks for the dump. */
  #takeOver(): void {
    const socket = this.#socket;
    for (const event of ['data', 'end', 'close', 'error']) socket.removeAllListeners(event);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', (error) => this.#fail(mysqlError(error, 'streaming')));
    socket.on('close', () => this.#fail(ended()));
    socket.write(packet(registerReplica(this.#options.serverId, 'tailrace')));
    socket.resume();
  }

  #onData(chunk: Buffer): void {
    const nowMs = this.#options.clock.nowMs();
    this.#heardAtMs = nowMs;
    this.#silentSinceMs = performance.now();
    try {
      // The socket makes a buffer for each read. Those of one large event would be tens of megabytes of garbage.
      if (this.#framer.push(chunk)) freeBuffer(chunk);
    } catch (error) {
      this.#failReading(error);
    }
    this.inbox.endOfRead(nowMs);
  }

  #onEvent(bytes: Buffer, start: number, end: number, isOwn: boolean): boolean {
    if (this.#closed) return true;
    if (!this.#isRegistered) {
      // The answer to the registration looks like an event.
      this.#isRegistered = true;
      this.#socket.write(packet(dumpCommand(this.#options)));
      return true;
    }
    const contentEnd = this.#withoutChecksum(bytes, start, end);
    const type = eventType(bytes, start);
    if (type === EventType.transactionPayload) return this.#onPayload(bytes, start, contentEnd, isOwn);
    if (isCompressed(type)) {
      const event = uncompressEvent(bytes, start, contentEnd, MAX_EVENT_BYTES);
      this.inbox.addMessage(event, 0, event.length, 0, 0, true);
    } else this.inbox.addMessage(bytes, start, contentEnd, 0, 0, isOwn);
    return true;
  }

  /** @returns where the event ends without its checksum. */
  #withoutChecksum(bytes: Buffer, start: number, end: number): number {
    if (end - start < HEADER_BYTES) throw new ProtocolError('an event ends inside of its header');
    if (eventType(bytes, start) === EventType.formatDescription) {
      const { checksum } = parseFormatDescription(bytes, start, end);
      this.#hasChecksums = checksum === 'crc32';
      if (!this.#hasChecksums) return end;
    }
    if (!this.#hasChecksums) return end;
    const contentEnd = end - CHECKSUM_BYTES;
    if (contentEnd - start < HEADER_BYTES) throw new ProtocolError('an event ends inside of its checksum');
    if (eventChecksum(bytes, start, contentEnd) !== bytes.readUInt32LE(contentEnd)) {
      throw new ProtocolError('the checksum of an event is not that of its bytes');
    }
    return contentEnd;
  }

  /** The events of a compressed transaction come one after the other; what follows waits for them. */
  #onPayload(bytes: Buffer, start: number, end: number, isOwn: boolean): boolean {
    return this.#whileReading(this.#payloads.read(bytes, start, end, isOwn));
  }

  /** A large compressed transaction waits in a file: its checksum is known only at its end. */
  #spill(head: Buffer, size: number): PayloadSpill | null {
    if (eventType(head, 0) !== EventType.transactionPayload || size < SPILLED_BYTES) return null;
    return new PayloadSpill(size, this.#hasChecksums, (file) => {
      if (!this.#closed) return this.#whileReading(this.#payloads.readFile(file));
      file.close();
      return true;
    });
  }

  #whileReading(reading: Promise<void> | null): boolean {
    if (reading === null) return true;
    this.#setReading();
    reading
      .then(
        () => {
          this.#framer.resume();
          this.inbox.endOfRead(this.#options.clock.nowMs());
          this.#setReading();
        },
        (error: unknown) => this.#failReading(error),
      )
      .catch((error: unknown) => this.#failReading(error));
    return false;
  }

  #pause(): void {
    this.#isPaused = true;
    this.#setReading();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#payloads.wake();
    this.#setReading();
  }

  #setReading(): void {
    if (this.#isPaused || this.#payloads.isReading) this.#socket.pause();
    else {
      // The server was not listened to: its silence begins now.
      this.#silentSinceMs = performance.now();
      this.#socket.resume();
    }
  }

  #tick(): void {
    if (this.#isPaused || this.#payloads.isReading) return;
    if (performance.now() - this.#silentSinceMs <= this.#options.silenceLimitMs) return;
    this.#fail(
      new TransientError('The server gave no sign of life while streaming.', {
        code: 'MYSQL_SILENT',
        remedy: 'The connection is made again; if this repeats, look at the network and at the server.',
      }),
    );
  }

  #failReading(error: unknown): void {
    if (error instanceof TailraceError) this.#fail(error);
    else if (error instanceof ProtocolError) {
      this.#fail(
        new FatalError(`The binlog stream cannot be read: ${error.message}.`, {
          code: 'MYSQL_PROTOCOL',
          remedy: 'Check the file with mysqlbinlog, and that nothing alters the connection; else report it.',
          cause: error,
        }),
      );
    } else this.#fail(mysqlError(error, 'reading the stream'));
  }

  #fail(error: unknown): void {
    if (!this.#closed) this.inbox.fail(error);
    this.#socket.destroy();
  }

  /** The driver's good-bye would be a command in the middle of a dump: the socket is closed without one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#payloads.close();
    this.#framer.close();
    this.#connection.destroy();
    this.#socket.destroy();
  }
}

/** @returns whether the server writes checksums. */
async function prepareSession(connection: mysql.Connection, options: BinlogConnectionOptions): Promise<boolean> {
  const { dialect, identity, heartbeatPeriodMs, serverId, start } = options;
  const [row] = await runStatement<{ checksum: string; identity: string | number }>(
    connection,
    `SELECT @@global.binlog_checksum AS checksum, @@global.${IDENTITY_VARIABLE[dialect]} AS identity`,
    [],
  );
  if (row !== undefined && String(row.identity) !== identity) throw moved(identity, String(row.identity));
  const checksum = row?.checksum ?? 'NONE';
  const heartbeatNs = `${Math.round(heartbeatPeriodMs)}000000`;
  const uuid = replicaUuid(serverId);
  // MySQL renamed its variables in 8.4, and looks for both.
  const settings = [
    `SET @master_binlog_checksum = '${checksum}', @source_binlog_checksum = '${checksum}'`,
    `SET @master_heartbeat_period = ${heartbeatNs}, @source_heartbeat_period = ${heartbeatNs}`,
    `SET @slave_uuid = '${uuid}', @replica_uuid = '${uuid}'`,
    `SET SESSION net_write_timeout = ${NET_WRITE_TIMEOUT_S}`,
  ];
  if (dialect === 'mariadb') {
    settings.push('SET @mariadb_slave_capability = 4');
    if (start.kind === 'gtids') {
      settings.push(
        `SET @slave_connect_state = '${start.executed}'`,
        'SET @slave_gtid_strict_mode = 0',
        'SET @slave_gtid_ignore_duplicates = 0',
      );
    }
  }
  for (const statement of settings) await runStatement(connection, statement, []);
  return checksum !== 'NONE';
}

/** The server ends an older dump of the same replica: a connection that it believes to be alive does not linger. */
function replicaUuid(serverId: number): string {
  const hex = createHash('sha256').update(`tailrace ${serverId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function dumpCommand({ dialect, start, serverId }: BinlogConnectionOptions): Buffer {
  const flags = dialect === 'mariadb' ? DumpFlag.mariadbAnnotateRows : DumpFlag.mysqlHeartbeatV2;
  if (start.kind === 'file') return binlogDump(start.file, start.position, flags, serverId);
  if (dialect === 'mariadb') return binlogDump('', 4, flags, serverId);
  return binlogDumpGtid(encodeGtidSet(GtidSet.parse(start.executed)), flags, serverId);
}

/** One packet with its header: a command always has the sequence number 0. */
function packet(content: Buffer): Buffer {
  const header = Buffer.alloc(4);
  header.writeUIntLE(content.length, 0, 3);
  return Buffer.concat([header, content]);
}

/** What the verdict on the checkpoint was made of would not be what is read. */
function moved(expected: string, found: string): TransientError {
  return new TransientError(`The address led to the server ${expected}, and a moment later to ${found}.`, {
    code: 'MYSQL_SERVER_MOVED',
    remedy: 'The source starts again and looks at the server anew. If this repeats, see what the address leads to.',
  });
}

function ended(): TransientError {
  return new TransientError('The server ended the dump.', {
    code: 'MYSQL_STREAM_ENDED',
    remedy:
      'The server is shutting down, or the dump was killed or blocked for too long; the connection is made again.',
  });
}
