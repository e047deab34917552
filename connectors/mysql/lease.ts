import { createHash } from 'node:crypto';
import type mysql from 'mysql2';
import { type DatabaseConnection, withConfiguredTls } from '../../src/core/database-connection.ts';
import { FatalError, TransientError } from '../../src/core/errors.ts';
import { connect, runStatement } from './connection.ts';
import { isTlsUnsupported, mysqlError } from './server-error.ts';

/** Silence after which the server ends the connection, and with it the lease: a process that stands still loses it. */
const LEASE_S = 60;
const RENEW_MS = 10_000;

/**
 * The right to read the log in a source's name. MySQL has no slot that one reader owns, so a lock of the server, held by a
 * connection that is kept alive, stands for it: nothing is written, and it ends with its connection.
 */
export class Lease implements AsyncDisposable {
  readonly #config: DatabaseConnection;
  readonly #name: string;
  readonly #onLost: (error: unknown) => void;
  #connection: mysql.Connection | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `onLost` is called when a lease that was held is held no more. */
  constructor(config: DatabaseConnection, source: string, onLost: (error: unknown) => void) {
    this.#config = config;
    this.#name = `tailrace.${createHash('sha256').update(source).digest('hex').slice(0, 40)}`;
    this.#onLost = onLost;
  }

  /** @returns false where another process holds it. */
  async tryToTake(): Promise<boolean> {
    const connection = await this.#connected();
    const taken = await this.#ask(connection, 'SELECT GET_LOCK(?, 0) AS answer');
    if (taken) this.#timer ??= setInterval(() => this.#renew(), RENEW_MS);
    return taken;
  }

  /** @throws TransientError where it is not held any more. */
  async confirm(): Promise<void> {
    const connection = this.#connection;
    if (connection !== null && (await this.#ask(connection, 'SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS answer')))
      return;
    throw lost();
  }

  async #connected(): Promise<mysql.Connection> {
    if (this.#connection !== null) return this.#connection;
    try {
      const connection = await withConfiguredTls(this.#config, isTlsUnsupported, (withTls) =>
        connect(this.#config, withTls, () => this.#forget()),
      );
      this.#connection = connection;
      await runStatement(connection, `SET SESSION wait_timeout = ${LEASE_S}`, []);
      return connection;
    } catch (error) {
      throw mysqlError(error, 'taking the lease of the source');
    }
  }

  async #ask(connection: mysql.Connection, sql: string): Promise<boolean> {
    try {
      const [row] = await runStatement<{ answer: number | null }>(connection, sql, [this.#name]);
      if (row === undefined) throw unanswered();
      return Number(row.answer) === 1;
    } catch (error) {
      throw mysqlError(error, 'taking the lease of the source');
    }
  }

  #renew(): void {
    this.confirm().catch((error: unknown) => this.#lose(error));
  }

  #forget(): void {
    this.#connection = null;
    if (this.#timer !== null) this.#lose(lost());
  }

  #lose(error: unknown): void {
    this.#stop();
    this.#onLost(error);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    const connection = this.#connection;
    this.#connection = null;
    connection?.destroy();
  }
}

function lost(): TransientError {
  return new TransientError('The lease of the source ended: its connection was lost.', {
    code: 'MYSQL_LEASE_LOST',
    remedy: 'The source is started again once the lease can be taken; if this repeats, look at the server.',
  });
}

function unanswered(): FatalError {
  return new FatalError('The server did not answer whether a lock is free.', {
    code: 'MYSQL_UNEXPECTED',
    remedy: 'Is this really a MySQL or MariaDB server? If so, report it.',
  });
}
