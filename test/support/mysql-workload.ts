import type mysql from 'mysql2/promise';
import type { MysqlDatabase } from './mysql-database.ts';
import { uniqueName } from './unique-name.ts';
import { SeededRandom } from './workload-random.ts';

const TABLES = ['accounts', 'orders', 'lines'];
const KEYS = 120;
/** Deadlocks, lock waits, and columns that another connection just dropped. */
const EXPECTED_ERRORS = new Set([1205, 1213, 1054, 1136, 1412, 1613, 1614]);
/** A branch that is not there (any more), that must be rolled back, or is in another state. */
const XA_STATE_ERRORS = new Set([1397, 1399, 1402, 1613, 1614]);

export const MYSQL_WORKLOAD_SCHEMA: readonly string[] = [
  // The version of each key, counted in the same transaction as its change: 1, 2, 3 … over deletes too.
  'CREATE TABLE ledger (tab varchar(20), id int, v bigint NOT NULL, live tinyint NOT NULL, PRIMARY KEY (tab, id))',
  'CREATE TABLE accounts (id int PRIMARY KEY, v bigint NOT NULL, t varchar(40), d decimal(12,2), ts datetime(3))',
  "CREATE TABLE orders (id bigint PRIMARY KEY, v bigint NOT NULL, note text, e enum('a','b','c'))",
  'CREATE TABLE `lines` (id int PRIMARY KEY, v bigint NOT NULL, b varbinary(30), f double)',
];

const FILLERS: Readonly<Record<string, (version: number, random: SeededRandom) => Record<string, unknown>>> = {
  accounts: (version) => ({ t: `value ${version} é`, d: version / 4, ts: '2026-01-02 03:04:05.678' }),
  orders: (version, random) => ({ note: 'n'.repeat(random.int(0, 900)), e: 'abc'[version % 3] }),
  lines: (version) => ({ b: Buffer.from([version & 255, 0, 255]), f: version / 3 }),
};

export interface MysqlWorkloadOptions {
  /** Prepared branches outlive a crash of the server, with their locks. */
  readonly xa?: boolean;
  /** Writers whose connection is lost make another one, until the server takes it; else that ends the load. */
  readonly survivesOutages?: boolean;
}

/** Seeded writers, one compressed where MySQL can: inserts, updates, deletes, primary-key changes, transactions over several tables, XA, DDL, rotation. */
export class MysqlWorkload implements AsyncDisposable {
  readonly #options: Required<MysqlWorkloadOptions>;
  readonly #database: MysqlDatabase;
  readonly #random: SeededRandom;
  readonly #connections: mysql.Connection[] = [];
  #running: Promise<unknown> = Promise.resolve();
  #stopped = false;
  #failure: unknown = null;
  #columns = 0;
  transactions = 0;
  rollbacks = 0;
  schemaChanges = 0;

  constructor(database: MysqlDatabase, seed: number, options: MysqlWorkloadOptions = {}) {
    this.#options = { xa: true, survivesOutages: false, ...options };
    this.#database = database;
    this.#random = new SeededRandom(seed);
  }

  start(writers = 3, schemaChangeMs = 700): void {
    const loops = Array.from({ length: writers }, () => this.#write(this.#random.fork()));
    loops.push(this.#alter(this.#random.fork(), schemaChangeMs));
    this.#running = Promise.all(loops).catch((error: unknown) => {
      this.#failure = error;
      this.#stopped = true;
    });
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    this.throwIfFailed();
  }

  /** Writes every row once more, so that the newest record of each has the columns that the tables have in the end. */
  async touchAll(): Promise<void> {
    for (const table of TABLES) await this.#database.query('UPDATE ?? SET v = v + 1', [table]);
  }

  async #connect(): Promise<mysql.Connection> {
    const connection = await this.#database.connect();
    this.#connections.push(connection);
    await connection.query('SET SESSION innodb_lock_wait_timeout = 2, lock_wait_timeout = 2');
    if (this.#connections.length > 1) return connection;
    const [settings] = await connection.query("SHOW VARIABLES LIKE 'binlog_transaction_compression'");
    // MariaDB and old servers cannot.
    if ((settings as unknown[]).length > 0) await connection.query('SET SESSION binlog_transaction_compression = ON');
    return connection;
  }

  /** Whether the last transaction was committed is not known: the ledger in the database is. */
  async #reconnect(lost: mysql.Connection): Promise<mysql.Connection> {
    while (!this.#stopped) {
      try {
        return await this.#connect();
      } catch (error) {
        if (!isOutage(error)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    return lost;
  }

  async #write(random: SeededRandom): Promise<void> {
    let connection = await this.#connect();
    while (!this.#stopped) {
      const xid = this.#options.xa && random.chance(0.08) ? uniqueName('xa') : null;
      try {
        await connection.query(xid === null ? 'BEGIN' : `XA START '${xid}'`);
        for (let left = random.int(1, 5); left > 0; left -= 1) await this.#change(connection, random);
        const isGivenUp = random.chance(0.1);
        if (xid === null) await connection.query(isGivenUp ? 'ROLLBACK' : 'COMMIT');
        else await decide(connection, xid, isGivenUp, random);
        if (isGivenUp) this.rollbacks += 1;
        else this.transactions += 1;
      } catch (error) {
        if (this.#options.survivesOutages && isOutage(error)) {
          connection = await this.#reconnect(connection);
          continue;
        }
        if (!EXPECTED_ERRORS.has(numberOf(error))) throw error;
        if (xid === null) await connection.query('ROLLBACK');
        else await giveUp(connection, xid);
      }
      await new Promise((resolve) => setTimeout(resolve, random.int(0, 15)));
    }
  }

  async #change(connection: mysql.Connection, random: SeededRandom): Promise<void> {
    const table = random.pick(TABLES);
    const id = random.int(1, KEYS);
    const { version, live } = await this.#next(connection, table, id);
    const kind = random.next();
    if (live && kind < 0.15) {
      await connection.query('DELETE FROM ?? WHERE id = ?', [table, id]);
      await this.#note(connection, table, id, version - 1, false);
      return;
    }
    if (live && kind < 0.3) {
      const target = random.int(1, KEYS);
      const there = await this.#next(connection, table, target);
      if (target === id || there.live) return;
      await connection.query('UPDATE ?? SET id = ?, v = ? WHERE id = ?', [table, target, there.version, id]);
      await this.#note(connection, table, id, version - 1, false);
      await this.#note(connection, table, target, there.version, true);
      return;
    }
    const values = { v: version, ...FILLERS[table]!(version, random) };
    if (live) await connection.query('UPDATE ?? SET ? WHERE id = ?', [table, values, id]);
    else await connection.query('INSERT INTO ?? SET ?', [table, { id, ...values }]);
    await this.#note(connection, table, id, version, true);
  }

  /** The next version of the key, whose ledger row stays locked. */
  async #next(connection: mysql.Connection, table: string, id: number): Promise<{ version: number; live: boolean }> {
    await connection.query('INSERT IGNORE INTO ledger VALUES (?, ?, 0, 0)', [table, id]);
    const [rows] = await connection.query('SELECT v, live FROM ledger WHERE tab = ? AND id = ? FOR UPDATE', [
      table,
      id,
    ]);
    const [row] = rows as { v: number; live: number }[];
    return { version: Number(row!.v) + 1, live: row!.live === 1 };
  }

  async #note(connection: mysql.Connection, table: string, id: number, version: number, live: boolean): Promise<void> {
    const values = [version, live ? 1 : 0, table, id];
    await connection.query('UPDATE ledger SET v = ?, live = ? WHERE tab = ? AND id = ?', values);
  }

  async #alter(random: SeededRandom, everyMs: number): Promise<void> {
    let connection = await this.#connect();
    const added: [table: string, column: string][] = [];
    while (!this.#stopped) {
      try {
        const table = random.pick(TABLES);
        const drop = added.length > 3 ? added.shift() : undefined;
        if (drop !== undefined) await connection.query('ALTER TABLE ?? DROP COLUMN ??', [...drop]);
        else {
          this.#columns += 1;
          const column = `x_${this.#columns}`;
          await connection.query(`ALTER TABLE ?? ADD COLUMN ?? int DEFAULT ${random.int(0, 9)}`, [table, column]);
          added.push([table, column]);
        }
        this.schemaChanges += 1;
        if (random.chance(0.2)) await connection.query('FLUSH BINARY LOGS');
      } catch (error) {
        if (this.#options.survivesOutages && isOutage(error)) connection = await this.#reconnect(connection);
        else if (!EXPECTED_ERRORS.has(numberOf(error))) throw error;
      }
      for (let waited = 0; waited < everyMs && !this.#stopped; waited += 50) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#connections.map((connection) => connection.end().catch(() => connection.destroy())));
  }
}

/** Most prepared transactions are left so for a while, others are committed in one phase. */
async function decide(connection: mysql.Connection, xid: string, isGivenUp: boolean, random: SeededRandom) {
  await connection.query(`XA END '${xid}'`);
  if (!isGivenUp && random.chance(0.3)) {
    await connection.query(`XA COMMIT '${xid}' ONE PHASE`);
    return;
  }
  await connection.query(`XA PREPARE '${xid}'`);
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 300)));
  await connection.query(`XA ${isGivenUp ? 'ROLLBACK' : 'COMMIT'} '${xid}'`);
}

/** The branch may be anywhere before its preparation, or ended by the server already. */
async function giveUp(connection: mysql.Connection, xid: string): Promise<void> {
  for (const statement of [`XA END '${xid}'`, `XA ROLLBACK '${xid}'`]) {
    await connection.query(statement).catch((error: unknown) => {
      if (!XA_STATE_ERRORS.has(numberOf(error))) throw error;
    });
  }
}

/** Of the connection, or a server that shuts down: 1053, and 1317 or MariaDB's 1927 for the statement that it ends. */
function isOutage(error: unknown): boolean {
  return numberOf(error) < 1000 || [1053, 1317, 1927].includes(numberOf(error));
}

function numberOf(error: unknown): number {
  return (error as { errno?: number }).errno ?? 0;
}

export { TABLES as MYSQL_WORKLOAD_TABLES };
