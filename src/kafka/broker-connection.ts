import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { codeOf } from '../core/error-classification.ts';
import { ConfigurationError, type TailraceError } from '../core/errors.ts';
import type { SaslSettings, TlsSettings } from '../core/settings.ts';
import {
  aborted,
  answeredWithTls,
  connectionLost,
  firstRequestCut,
  handshakeCut,
  timedOut,
} from './connection-errors.ts';
import { kafkaError } from './error-codes.ts';
import { type Api, writeRequestHeader } from './protocol/api.ts';
import { apiVersions } from './protocol/api-versions.ts';
import { WireReader } from './protocol/wire-reader.ts';
import { WireWriter } from './protocol/wire-writer.ts';
import { ResponseFramer } from './response-framer.ts';
import { authenticate } from './sasl-authentication.ts';

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsSettings | null;
  readonly sasl: SaslSettings | null;
  readonly clientId: string;
  /** Deadline of connecting, with authentication, and of every request. */
  readonly requestTimeoutMs: number;
}

interface PendingRequest {
  readonly api: Api<never, unknown>;
  readonly version: number;
  readonly resolve: (response: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  /** The kernel has the whole request. */
  isWritten: boolean;
  /** Answered before that: whoever asked is told once nobody reads the chunks any more. */
  early: { readonly response: unknown } | null;
}

/** A TLS record that holds an alert, of any version since 1.0: RFC 8446, 5.1. */
const TLS_ALERT = 0x1503;

const SOFTWARE_NAME = 'tailrace';
const SOFTWARE_VERSION = '1';

/**
 * One authenticated socket to one broker. Requests are answered in the order in which they were written. When anything
 * goes wrong (deadline, broken socket, nonsense) the socket is destroyed, and only once it is closed are all requests
 * rejected with a TransientError: from then on the kernel holds none of their bytes and the broker reads no more of them.
 */
export class BrokerConnection {
  readonly address: string;
  readonly #options: ConnectionOptions;
  readonly #socket: Socket | TLSSocket;
  readonly #framer = new ResponseFramer((frame) => this.#receive(frame));
  readonly #pending = new Map<number, PendingRequest>();
  readonly #versions = new Map<number, number>();
  readonly #header = new WireWriter(128);
  readonly #body = new WireWriter(1024);
  readonly #closed = Promise.withResolvers<void>();
  #brokerRanges: ReadonlyMap<number, readonly [min: number, max: number]> | null = null;
  #features: ReadonlyMap<string, number> = new Map();
  #correlationId = 0;
  #isConnected = false;
  /** ApiVersions included. */
  #answers = 0;
  #failure: TailraceError | null = null;
  #isClosed = false;
  #closeWhenIdle = false;
  #retireAtMs = Number.POSITIVE_INFINITY;

  private constructor(options: ConnectionOptions, socket: Socket | TLSSocket) {
    this.#options = options;
    this.#socket = socket;
    this.address = `${options.host}:${options.port}`;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.destroy(this.#lost(error)));
    socket.on('end', () => this.destroy(this.#lost()));
    socket.on('close', () => this.#close());
  }

  /**
   * Connects, negotiates versions and authenticates.
   * @throws TransientError where the broker cannot be reached in time, ConfigurationError where TLS or SASL is refused.
   */
  static async connect(options: ConnectionOptions, signal: AbortSignal): Promise<BrokerConnection> {
    signal.throwIfAborted();
    const connection = BrokerConnection.#open(options);
    const deadline = setTimeout(
      () => connection.destroy(timedOut(connection.address, 'connecting')),
      options.requestTimeoutMs,
    );
    const onAbort = (): void => connection.destroy(aborted(connection.address));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await connection.#connected();
      await connection.#negotiate();
      if (options.sasl !== null) {
        const lifetimeMs = await authenticate(connection, options.sasl);
        // Past this the broker would close the connection: it is replaced earlier, between requests.
        if (lifetimeMs > 0) connection.#retireAtMs = performance.now() + lifetimeMs * 0.8;
      }
      return connection;
    } catch (error) {
      connection.destroy(connectionLost(connection.address, error));
      await connection.closed;
      signal.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
    }
  }

  static #open(options: ConnectionOptions): BrokerConnection {
    try {
      return new BrokerConnection(options, openSocket(options));
    } catch (error) {
      // A certificate or key that Node cannot use.
      throw connectionLost(`${options.host}:${options.port}`, error);
    }
  }

  /** Resolves when the socket is closed; never rejects. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** False once `destroy` was called or the broker hung up. */
  get usable(): boolean {
    return this.#failure === null && !this.#isClosed;
  }

  /** The session's lifetime ends soon: send nothing new, and close it when its requests are answered. */
  get retiring(): boolean {
    return performance.now() >= this.#retireAtMs;
  }

  get pendingRequests(): number {
    return this.#pending.size;
  }

  /** Finalised features of the cluster, such as `transaction.version`. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }

  /** The version both sides speak. @throws ConfigurationError where there is none. */
  version(api: Api<never, unknown>): number {
    const known = this.#versions.get(api.key);
    if (known !== undefined) return known;
    const version = this.#negotiatedVersion(api);
    this.#versions.set(api.key, version);
    return version;
  }

  /**
   * Sends one request and resolves with its answer, error codes inside it included.
   * Settled means that nobody reads what was given to it any more: the kernel has it, or the socket is closed.
   * @throws TransientError where the connection broke or the answer did not come in time: the request may have been done.
   */
  request<Q, R>(api: Api<Q, R>, request: Q): Promise<R> {
    const version = this.version(api);
    this.#body.reset();
    api.encode(this.#body, request, version);
    return this.send(api, version, [Buffer.from(this.#body.written)]);
  }

  /** As `request`, with a body already encoded. The chunks must not change until the promise is settled. */
  send<Q, R>(api: Api<Q, R>, version: number, chunks: readonly Buffer[]): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      if (this.#failure !== null || this.#isClosed) {
        reject(this.#failure ?? connectionLost(this.address));
        return;
      }
      const correlationId = this.#correlationId;
      this.#correlationId = (correlationId + 1) & 0x7fffffff;
      const timer = setTimeout(() => this.destroy(timedOut(this.address, api.name)), this.#options.requestTimeoutMs);
      timer.unref();
      const pending: PendingRequest = {
        api,
        version,
        resolve: resolve as (response: unknown) => void,
        reject,
        timer,
        isWritten: false,
        early: null,
      };
      this.#pending.set(correlationId, pending);
      this.#write(api, version, correlationId, chunks, () => {
        pending.isWritten = true;
        if (pending.early !== null) this.#settle(correlationId, pending, pending.early.response);
      });
    });
  }

  /** Closes the socket as soon as its requests are answered. The caller sends no more. */
  closeWhenIdle(): void {
    this.#closeWhenIdle = true;
    if (this.#pending.size === 0) this.destroy();
  }

  /** Closes the socket at once; requests in flight are rejected with `reason` when it is closed. Idempotent. */
  destroy(reason: TailraceError = connectionLost(this.address)): void {
    if (this.#failure !== null) return;
    this.#failure = reason;
    this.#socket.destroy();
  }

  /** A broker does not say why it hangs up; how far we were tells the most likely reason. */
  #lost(cause?: unknown): TailraceError {
    const { tls, sasl } = this.#options;
    const reason = connectionLost(this.address, cause);
    if (reason instanceof ConfigurationError || !isHangUp(cause)) return reason;
    if (tls !== null && !this.#isConnected) return handshakeCut(this.address, cause);
    return sasl === null && this.#answers === 1 ? firstRequestCut(this.address, cause) : reason;
  }

  async #connected(): Promise<void> {
    const socket = this.#socket;
    const event = this.#options.tls === null ? 'connect' : 'secureConnect';
    await new Promise<void>((resolve, reject) => {
      socket.once(event, () => {
        this.#isConnected = true;
        resolve();
      });
      void this.closed.then(() => reject(this.#failure ?? connectionLost(this.address)));
    });
  }

  async #negotiate(): Promise<void> {
    this.#versions.set(apiVersions.key, apiVersions.maxVersion);
    const answer = await this.request(apiVersions, { softwareName: SOFTWARE_NAME, softwareVersion: SOFTWARE_VERSION });
    if (answer.errorCode !== 0)
      throw kafkaError(answer.errorCode, `version negotiation with ${this.address}`, null, null);
    this.#brokerRanges = new Map(answer.ranges.map(({ key, min, max }) => [key, [min, max]]));
    this.#features = answer.features;
  }

  #negotiatedVersion(api: Api<never, unknown>): number {
    const [min, max] = this.#brokerRanges?.get(api.key) ?? [0, -1];
    const version = Math.min(max, api.maxVersion);
    if (version >= Math.max(min, api.minVersion)) return version;
    throw new ConfigurationError(
      `broker ${this.address} speaks ${api.name} versions ${min} to ${max}, we speak ${api.minVersion} to ${api.maxVersion}`,
      { code: 'KAFKA_VERSION_UNSUPPORTED', remedy: 'Use brokers of version 2.8 or newer.' },
    );
  }

  /** `onWritten` is not called where the socket breaks first. */
  #write(
    api: Api<never, unknown>,
    version: number,
    correlationId: number,
    chunks: readonly Buffer[],
    onWritten: () => void,
  ): void {
    const header = this.#header;
    header.reset();
    writeRequestHeader(header, api, version, correlationId, this.#options.clientId);
    const head = Buffer.from(header.written);
    let size = head.length - 4;
    for (const chunk of chunks) size += chunk.length;
    head.writeInt32BE(size, 0);
    this.#socket.cork();
    this.#socket.write(head);
    for (let i = 0; i < chunks.length - 1; i++) this.#socket.write(chunks[i]!);
    this.#socket.write(chunks.at(-1)!, (error) => {
      if (error == null) onWritten();
    });
    this.#socket.uncork();
  }

  #read(chunk: Buffer): void {
    if (!this.usable) return;
    if (this.#answers === 0 && chunk.length > 1 && chunk.readUInt16BE(0) === TLS_ALERT) {
      this.destroy(answeredWithTls(this.address));
      return;
    }
    try {
      this.#framer.push(chunk);
    } catch (error) {
      this.destroy(connectionLost(this.address, error));
    }
  }

  #receive(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) {
      this.destroy(connectionLost(this.address, new Error(`answer to unknown request ${correlationId}`)));
      return;
    }
    const input = new WireReader(frame, 4);
    // ApiVersions answers always have header version 0, so that a broker can answer a version that it does not know.
    if (pending.api.flexible && pending.api.key !== apiVersions.key) input.tags();
    const response = pending.api.decode(input, pending.version);
    this.#answers += 1;
    // An answer to half a request is no reason to send the other half from memory that has got another use.
    if (pending.isWritten) this.#settle(correlationId, pending, response);
    else pending.early = { response };
  }

  #settle(correlationId: number, pending: PendingRequest, response: unknown): void {
    if (!this.#pending.delete(correlationId)) return;
    clearTimeout(pending.timer);
    pending.resolve(response);
    if (this.#closeWhenIdle && this.#pending.size === 0) this.destroy();
  }

  #close(): void {
    this.#isClosed = true;
    this.#failure ??= connectionLost(this.address);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) {
      clearTimeout(request.timer);
      request.reject(this.#failure);
    }
    this.#closed.resolve();
  }
}

/** The other side closed the connection, orderly or not. */
function isHangUp(cause: unknown): boolean {
  const code = codeOf(cause);
  return cause === undefined || code === 'ECONNRESET' || code === 'EPIPE';
}

function openSocket(options: ConnectionOptions): Socket | TLSSocket {
  const { host, port, tls } = options;
  if (tls === null) return connectTcp({ host, port });
  return connectTls({
    host,
    port,
    servername: /^[\d.]+$|:/.test(host) ? '' : host,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key.reveal() }),
    ...(tls.verifyHostname ? {} : { checkServerIdentity: () => undefined }),
  });
}
