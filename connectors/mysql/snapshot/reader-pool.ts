import type { Clock } from '../../../src/core/clock.ts';
import type { DatabaseConnection } from '../../../src/core/database-connection.ts';
import type { ServerFacts } from '../server-facts.ts';
import { ReaderConnection } from './reader-connection.ts';

/** A lock, or a table that is being altered, is waited for this long at most: others wait behind us. */
const LOCK_WAIT_TIMEOUT_S = 1;
/** How long the server waits for us to read, and to ask for something, in seconds: a round may stand still. */
const PATIENCE_S = 3600;

/** Bytes of text as they are stored, moments in UTC, dates that are none, and no limit of the server's on statements. */
const SESSION = [
  `SET SESSION time_zone = '+00:00', sql_mode = 'ALLOW_INVALID_DATES', autocommit = 1, character_set_results = NULL,
     lock_wait_timeout = ${LOCK_WAIT_TIMEOUT_S}, net_write_timeout = ${PATIENCE_S}, wait_timeout = ${PATIENCE_S},
     sql_select_limit = DEFAULT`,
  'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ',
];

/** What may end a statement or a transaction early; 0 is never. */
const LIMITS = [
  'max_execution_time',
  'max_statement_time',
  'idle_transaction_timeout',
  'idle_readonly_transaction_timeout',
];

/** Connections that read tables, kept from one view to the next. */
export class ReaderPool implements AsyncDisposable {
  readonly #config: DatabaseConnection;
  readonly #clock: Clock;
  readonly #limits: readonly string[];
  readonly #idle: ReaderConnection[] = [];
  readonly #all = new Set<ReaderConnection>();
  #isClosed = false;

  constructor(config: DatabaseConnection, clock: Clock, server: ServerFacts) {
    this.#config = config;
    this.#clock = clock;
    const limits = LIMITS.filter((name) => server.variables.has(name)).map((name) => `${name} = 0`);
    this.#limits = limits.length === 0 ? [] : [`SET SESSION ${limits.join(', ')}`];
  }

  async take(count: number, signal: AbortSignal): Promise<ReaderConnection[]> {
    const taken: ReaderConnection[] = [];
    while (taken.length < count && this.#idle.length > 0) {
      const connection = this.#idle.pop() as ReaderConnection;
      // The server, or something on the way to it, may have ended it meanwhile.
      if (connection.isUsable) taken.push(connection);
      else this.#all.delete(connection);
    }
    const missing = Array.from({ length: count - taken.length }, () => this.#open(signal));
    const opened = await Promise.allSettled(missing);
    for (const result of opened) if (result.status === 'fulfilled') taken.push(result.value);
    const failed = opened.find((result) => result.status === 'rejected');
    if (failed === undefined) return taken;
    await this.giveBack(taken, signal);
    throw failed.reason;
  }

  /** Their transactions are ended; a connection that is in the middle of something is closed. */
  async giveBack(connections: readonly ReaderConnection[], signal: AbortSignal): Promise<void> {
    await Promise.all(
      connections.map(async (connection) => {
        try {
          if (this.#isClosed || signal.aborted || !connection.isUsable) throw new DOMException('closed', 'AbortError');
          await connection.query('ending a view', 'ROLLBACK', signal);
          this.#idle.push(connection);
        } catch {
          // Nothing is lost with it: the next view opens another.
          this.#all.delete(connection);
          await connection[Symbol.asyncDispose]();
        }
      }),
    );
  }

  async #open(signal: AbortSignal): Promise<ReaderConnection> {
    const connection = await ReaderConnection.open(this.#config, this.#clock, signal);
    this.#all.add(connection);
    try {
      for (const statement of [...SESSION, ...this.#limits]) {
        await connection.query('preparing to read tables', statement, signal);
      }
      return connection;
    } catch (error) {
      this.#all.delete(connection);
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#all) await connection[Symbol.asyncDispose]();
    this.#all.clear();
    this.#idle.length = 0;
  }
}
