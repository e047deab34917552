import pg from 'pg';
import { withConfiguredTls } from '../../src/core/database-connection.ts';
import { TransientError } from '../../src/core/errors.ts';
import { StatementQueue } from '../../src/core/statement-queue.ts';
import type { ConnectionConfig } from './config.ts';
import { isTlsUnsupported, postgresError } from './sql-state.ts';

/**
 * Settings of every connection, given at start-up. They decide how the server writes values as text, so a role's or a
 * database's own settings must not reach them; an empty search_path makes every name in catalog expressions qualified.
 */
const SESSION_SETTINGS: readonly (readonly [string, string])[] = [
  ['client_encoding', 'UTF8'],
  ['DateStyle', 'ISO'],
  ['IntervalStyle', 'postgres'],
  ['TimeZone', 'UTC'],
  ['extra_float_digits', '3'],
  ['bytea_output', 'hex'],
  ['lc_monetary', 'C'],
  ['search_path', ''],
  ['row_security', 'off'],
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
];

const KEEP_ALIVE_DELAY_MS = 10_000;

/** The driver's configuration of a connection, TLS as `withTls` says. */
export function clientConfig(config: ConnectionConfig, withTls: boolean, purpose: string): pg.ClientConfig {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    database: config.database,
    ...(config.password === null ? {} : { password: config.password.reveal() }),
    application_name: `tailrace ${purpose}`.slice(0, 63),
    options: SESSION_SETTINGS.map(([name, value]) => `-c ${name}=${value}`).join(' '),
    connectionTimeoutMillis: config.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    ssl: withTls ? tlsOptions(config) : false,
  };
}

function tlsOptions(config: ConnectionConfig): Exclude<pg.ClientConfig['ssl'], boolean | undefined> {
  const { mode, ca, cert, key } = config.tls;
  const verifies = mode === 'verify-ca' || mode === 'verify-full';
  return {
    rejectUnauthorized: verifies,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key: key.reveal() }),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

/** What asks the server: an ordinary connection, or one that is in a transaction of its own. */
export type SqlQueries = Pick<SqlConnection, 'query'>;

/**
 * An ordinary connection for catalog queries and commands. Queries run one at a time, each with a deadline; a connection
 * that broke is made again for the next query.
 */
export class SqlConnection implements AsyncDisposable {
  readonly #config: ConnectionConfig;
  readonly #purpose: string;
  readonly #statements = new StatementQueue();
  #client: pg.Client | null = null;

  constructor(config: ConnectionConfig, purpose: string) {
    this.#config = config;
    this.#purpose = purpose;
  }

  /**
   * Rows of one statement.
   * @param doing completes "Postgres failed while …".
   * @param timeoutMs Infinity for what may take any time; the connection is kept alive meanwhile.
   * @throws a TailraceError by SQLSTATE; TransientError after the deadline; the signal's reason when aborted.
   */
  query<R extends pg.QueryResultRow>(
    doing: string,
    sql: string,
    values: readonly unknown[],
    signal: AbortSignal,
    timeoutMs = this.#config.queryTimeoutMs,
  ): Promise<R[]> {
    const late = () =>
      new TransientError(`Postgres did not answer within ${timeoutMs} ms while ${doing}.`, {
        code: 'POSTGRES_QUERY_TIMEOUT',
        remedy: 'Look for locks and load on the server, or raise query_timeout.',
      });
    return this.#statements.run<R[]>(
      {
        execute: (stop) => this.#execute<R>(sql, values, stop),
        timeoutMs,
        abandon: () => this.#discard(),
        late,
        classify: (error) => postgresError(error, doing),
      },
      signal,
    );
  }

  async #execute<R extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[],
    stop: AbortSignal,
  ): Promise<R[]> {
    const client = this.#client ?? (await this.#connect(stop));
    const result = await client.query<R>(sql, values.length === 0 ? undefined : [...values]);
    return result.rows;
  }

  async #connect(stop: AbortSignal): Promise<pg.Client> {
    const client = await withConfiguredTls(this.#config, isTlsUnsupported, async (withTls) => {
      const attempt = new pg.Client(clientConfig(this.#config, withTls, this.#purpose));
      // The query that is running, or the next one, reports a broken connection; an unheard event would end the process.
      attempt.on('error', () => this.#forget(attempt));
      attempt.on('end', () => this.#forget(attempt));
      await attempt.connect();
      return attempt;
    });
    this.#client = client;
    if (stop.aborted) {
      // Nobody waits for it any more, so nobody would close it.
      this.#discard();
      throw stop.reason;
    }
    return client;
  }

  #forget(client: pg.Client): void {
    if (this.#client === client) this.#client = null;
  }

  #discard(): void {
    const client = this.#client;
    this.#client = null;
    if (client !== null) socketOf(client).destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client === null) return;
    const hung = setTimeout(() => socketOf(client).destroy(), 1000);
    await client.end();
    clearTimeout(hung);
  }
}

/** The socket of a client: the driver has no public way to end a connection at once. */
export function socketOf(client: pg.Client): import('node:net').Socket {
  return (client as unknown as { connection: { stream: import('node:net').Socket } }).connection.stream;
}
