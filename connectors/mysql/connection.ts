import { connect as connectTcp, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import mysql from 'mysql2';
import { type DatabaseConnection, withConfiguredTls } from '../../src/core/database-connection.ts';
import { TransientError } from '../../src/core/errors.ts';
import { StatementQueue } from '../../src/core/statement-queue.ts';
import { isTlsUnsupported, mysqlError } from './server-error.ts';

const KEEP_ALIVE_DELAY_MS = 10_000;

/** How values come, and what statements mean, whatever the server's defaults are. */
const SESSION = "SET SESSION time_zone = '+00:00', sql_mode = 'NO_BACKSLASH_ESCAPES', autocommit = 1";

/** The driver's configuration of a connection, TLS as `withTls` says. */
export function connectionOptions(config: DatabaseConnection, withTls: boolean): mysql.ConnectionOptions {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    ...(config.database === null ? {} : { database: config.database }),
    ...(config.password === null ? {} : { password: config.password.reveal() }),
    ...(withTls ? { ssl: tlsOptions(config) } : {}),
    connectTimeout: config.connectTimeoutMs,
    charset: 'utf8mb4',
    timezone: 'Z',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    stream: () => openSocket(config),
  };
}

/**
 * The driver's TLS names no host to Node where it is an address, and Node would look for "localhost" in the certificate:
 * any certificate of that name would do. Node takes the name from the socket, which has one only where it was resolved.
 */
function openSocket({ host, port }: DatabaseConnection): Socket {
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS };
  return Object.assign(connectTcp({ host, port, noDelay: true, ...keepAlive }), { _host: host });
}

function tlsOptions(config: DatabaseConnection): mysql.SslOptions {
  const { mode, ca, cert, key } = config.tls;
  return {
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    verifyIdentity: mode === 'verify-full',
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key: key.reveal() }),
  };
}

/** Connects and authenticates. @param flags capabilities beside the driver's own, `-` in front of those not to ask for. @throws what the driver throws. */
export async function connect(
  config: DatabaseConnection,
  withTls: boolean,
  onError: (error: unknown) => void,
  flags: readonly string[] = [],
): Promise<mysql.Connection> {
  const connection = mysql.createConnection({ ...connectionOptions(config, withTls), flags: [...flags] });
  const connected = Promise.withResolvers<void>();
  // An unheard error event would end the process.
  connection.on('error', (error: unknown) => {
    connected.reject(error);
    onError(error);
  });
  connection.connect((error: unknown) => (error === null ? connected.resolve() : connected.reject(error)));
  try {
    await connected.promise;
  } catch (error) {
    connection.destroy();
    restoreTlsCode(error, socketOf(connection));
    throw error;
  }
  return connection;
}

/** The driver writes a code of its own over that of Node, which says what is wrong with a certificate. */
function restoreTlsCode(error: unknown, socket: Socket | TLSSocket): void {
  const failure = error as { code?: unknown; reason?: unknown };
  if (failure.code !== 'HANDSHAKE_SSL_ERROR') return;
  // The type says Error, and what is there is the code.
  const code: unknown = 'authorizationError' in socket ? socket.authorizationError : null;
  if (typeof code === 'string') failure.code = code;
  // As Node makes a code of OpenSSL's reason.
  else if (typeof failure.reason === 'string') {
    failure.code = `ERR_SSL_${failure.reason.toUpperCase().replaceAll(' ', '_')}`;
  }
}

export type Row = Readonly<Record<string, unknown>>;

/** Rows of one statement. @throws what the driver throws. */
export function runStatement<R extends Row>(
  connection: mysql.Connection,
  sql: string,
  values: readonly unknown[],
): Promise<R[]> {
  return new Promise((resolve, reject) => {
    connection.query(sql, [...values], (error: unknown, rows: unknown) => {
      if (error !== null) reject(error);
      else resolve(Array.isArray(rows) ? (rows as R[]) : []);
    });
  });
}

/**
 * An ordinary connection for catalog queries and commands. Statements run one at a time, each with a deadline; a connection
 * that broke is made again for the next one, unless it is pinned.
 */
export class SqlConnection implements AsyncDisposable {
  readonly #config: DatabaseConnection;
  readonly #statements = new StatementQueue();
  #connection: mysql.Connection | null = null;

  constructor(config: DatabaseConnection) {
    this.#config = config;
  }

  /**
   * Rows of one statement. Numbers that a JavaScript number cannot hold come as text, and so do dates.
   * @param doing completes "The server failed while …".
   * @throws a TailraceError by error number; TransientError after the deadline; the signal's reason when aborted.
   */
  query<R extends Row>(doing: string, sql: string, values: readonly unknown[], signal: AbortSignal): Promise<R[]> {
    const timeoutMs = this.#config.queryTimeoutMs;
    const late = () =>
      new TransientError(`The server did not answer within ${timeoutMs} ms while ${doing}.`, {
        code: 'MYSQL_QUERY_TIMEOUT',
        remedy: 'Look for locks and load on the server, or raise query_timeout.',
      });
    return this.#statements.run<R[]>(
      {
        execute: (stop) => this.#execute<R>(sql, values, stop),
        timeoutMs,
        abandon: () => this.#discard(),
        late,
        classify: (error) => mysqlError(error, doing),
      },
      signal,
    );
  }

  async #execute<R extends Row>(sql: string, values: readonly unknown[], stop: AbortSignal): Promise<R[]> {
    const connection = this.#connection ?? (await this.#connect(stop));
    return runStatement<R>(connection, sql, values);
  }

  async #connect(stop: AbortSignal): Promise<mysql.Connection> {
    let made: mysql.Connection | null = null;
    const connection = await withConfiguredTls(this.#config, isTlsUnsupported, (withTls) =>
      connect(this.#config, withTls, () => {
        if (this.#connection === made) this.#connection = null;
      }),
    );
    made = connection;
    this.#connection = connection;
    try {
      // Nobody waits for it any more, so nobody would close it.
      stop.throwIfAborted();
      await runStatement(connection, SESSION, []);
    } catch (error) {
      this.#discard();
      throw error;
    }
    return connection;
  }

  #discard(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#discard();
  }
}

/** The socket of a connection, encrypted where it is: the driver has no public way to it. */
export function socketOf(connection: mysql.Connection): Socket {
  return (connection as unknown as { stream: Socket }).stream;
}
