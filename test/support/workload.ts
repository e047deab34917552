import pg from 'pg';
import { SchemaChanges } from './workload-ddl.ts';
import { SeededRandom } from './workload-random.ts';
import { WORKLOAD_SCHEMA } from './workload-schema.ts';

export interface WorkloadOptions {
  readonly url: string;
  readonly seed: number;
  readonly publication: string;
  /** Connections that write rows; 4 unless told. */
  readonly writers?: number;
  /** Longest pause between two transactions of a writer; 20 ms unless told. */
  readonly pauseMs?: number;
  /** Pause between two schema changes; none are made when 0. */
  readonly schemaChangeMs?: number;
  /** Writers whose connection is lost make another one, until the server takes it; else that ends the load. */
  readonly survivesOutages?: boolean;
}

/** SQLSTATEs that a writer may meet: deadlock, lock timeout, a column or label that went, a value for a changed type. */
const EXPECTED_STATES = new Set(['40P01', '55P03', '42703', '22P02', '40001', '42P01']);
const KEYS = 240;
const UPDATABLE = ['accounts', 'orders', 'lines', 'docs', 'docs_full', 'keyless', 'wiped'];
const MOVABLE = ['accounts', 'orders', 'lines', 'docs', 'docs_full', 'keyless'];

/** The tables that hold their history in `workload.ledger`, and everything that writes them. */
export class Workload implements AsyncDisposable {
  readonly #options: Required<WorkloadOptions>;
  readonly #random: SeededRandom;
  readonly #clients: pg.Client[] = [];
  readonly #schemaChanges: SchemaChanges;
  readonly #tables = [...UPDATABLE];
  #running: Promise<unknown> | null = null;
  #stopped = false;
  #failure: unknown = null;
  #nextUnique = 1_000_000;
  #nextMarker = 1;
  transactions = 0;
  rollbacks = 0;

  constructor(options: WorkloadOptions) {
    this.#options = { writers: 4, pauseMs: 20, schemaChangeMs: 1_500, survivesOutages: false, ...options };
    this.#random = new SeededRandom(options.seed);
    this.#schemaChanges = new SchemaChanges(this.#random.fork(), options.publication, this.#tables);
  }

  get schemaChanges(): number {
    return this.#schemaChanges.made;
  }

  /** Creates the tables; nothing is written yet. */
  static async create(options: WorkloadOptions): Promise<Workload> {
    const workload = new Workload(options);
    const client = await workload.#connect();
    await client.query(WORKLOAD_SCHEMA);
    return workload;
  }

  /** Writes until `stop`. */
  start(): void {
    this.#stopped = false;
    const loops: Promise<void>[] = [];
    for (let writer = 0; writer < this.#options.writers; writer += 1) loops.push(this.#write(this.#random.fork()));
    if (this.#options.schemaChangeMs > 0) loops.push(this.#changeSchemas());
    this.#running = Promise.all(loops);
    this.#running.catch((error: unknown) => {
      this.#failure = error;
      this.#stopped = true;
    });
  }

  /** Ends the load; throws what made a writer fail. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
    this.#running = null;
    this.throwIfFailed();
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** A condition of a wait that depends on the load: once a writer has failed, nothing more will come. */
  whileWriting<T>(condition: () => T | Promise<T>): () => T | Promise<T> {
    return () => {
      this.throwIfFailed();
      return condition();
    };
  }

  /** Gives every row that can be updated a new version, so that each is in the topics as the table has it now. */
  async touchAll(): Promise<void> {
    const client = await this.#connect();
    for (const table of [...this.#tables, 'copied']) {
      await client.query('SELECT workload.touch($1)', [table]);
      this.transactions += 1;
    }
  }

  /** Commits one more row of `accounts` and returns its key: once it is in the topic, so is everything before it. */
  async writeMarker(): Promise<number> {
    const key = 500_000 + this.#nextMarker;
    this.#nextMarker += 1;
    const client = await this.#connect();
    await client.query('SELECT workload.put($1, $2, true)', ['accounts', key]);
    this.transactions += 1;
    return key;
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#options.url,
      connectionTimeoutMillis: 10_000,
      options: '-c deadlock_timeout=100ms -c lock_timeout=2s -c statement_timeout=20s',
    });
    // The next query reports it.
    client.on('error', () => undefined);
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /** Whether the last transaction was committed is not known: the ledger in the database is. */
  async #reconnect(lost: pg.Client): Promise<pg.Client> {
    while (!this.#stopped) {
      try {
        return await this.#connect();
      } catch (error) {
        if (!isOutage(error)) throw error;
        await pause(50);
      }
    }
    return lost;
  }

  async #write(random: SeededRandom): Promise<void> {
    let client = await this.#connect();
    while (!this.#stopped) {
      try {
        await this.#transaction(client, random);
      } catch (error) {
        if (this.#options.survivesOutages && isOutage(error)) {
          client = await this.#reconnect(client);
          continue;
        }
        if (!(error instanceof pg.DatabaseError) || !EXPECTED_STATES.has(error.code ?? '')) throw error;
        await client.query('ROLLBACK');
        this.rollbacks += 1;
      }
      await pause(random.int(0, this.#options.pauseMs));
    }
  }

  async #transaction(client: pg.Client, random: SeededRandom): Promise<void> {
    const kind = random.next();
    if (kind < 0.03) {
      // A table that is wiped is locked against everyone: alone, and short.
      await client.query('SELECT workload.wipe($1)', ['wiped']);
      this.transactions += 1;
      return;
    }
    const isLong = kind < 0.1;
    const statements = isLong ? random.int(5, 20) : random.int(1, 6);
    await client.query('BEGIN');
    for (let left = statements; left > 0; left -= 1) {
      if (random.chance(0.15)) await this.#subtransaction(client, random);
      else await this.#statement(client, random);
      if (isLong) await pause(random.int(0, 40));
    }
    const rollback = random.chance(0.08);
    await client.query(rollback ? 'ROLLBACK' : 'COMMIT');
    if (rollback) this.rollbacks += 1;
    else this.transactions += 1;
  }

  async #subtransaction(client: pg.Client, random: SeededRandom): Promise<void> {
    await client.query('SAVEPOINT s');
    for (let left = random.int(1, 3); left > 0; left -= 1) await this.#statement(client, random);
    if (random.chance(0.5)) await client.query('ROLLBACK TO SAVEPOINT s');
    await client.query('RELEASE SAVEPOINT s');
  }

  async #statement(client: pg.Client, random: SeededRandom): Promise<void> {
    const kind = random.next();
    if (kind < 0.06) {
      await this.#put(client, 'events', this.#unique(1), true);
    } else if (kind < 0.08) {
      const rows = random.int(2, 40);
      const first = this.#unique(rows);
      await client.query('SELECT workload.copy_in($1, $2)', [first, first + rows - 1]);
    } else if (kind < 0.2) {
      await client.query('SELECT workload.remove($1, $2)', [random.pick(this.#tables), random.int(1, KEYS)]);
    } else if (kind < 0.3) {
      const [from, to] = [random.int(1, KEYS), random.int(1, KEYS)];
      if (from !== to) await client.query('SELECT workload.move($1, $2, $3)', [random.pick(MOVABLE), from, to]);
    } else {
      await this.#put(client, random.pick(this.#tables), random.int(1, KEYS), random.chance(0.3));
    }
  }

  async #put(client: pg.Client, table: string, key: number, large: boolean): Promise<void> {
    await client.query('SELECT workload.put($1, $2, $3)', [table, key, large]);
  }

  #unique(count: number): number {
    const first = this.#nextUnique;
    this.#nextUnique += count;
    return first;
  }

  async #changeSchemas(): Promise<void> {
    let client = await this.#connect();
    while (!this.#stopped) {
      try {
        if (await this.#schemaChanges.makeOne(client)) this.transactions += 1;
      } catch (error) {
        if (this.#options.survivesOutages && isOutage(error)) {
          client = await this.#reconnect(client);
          continue;
        }
        if (!(error instanceof pg.DatabaseError) || !EXPECTED_STATES.has(error.code ?? '')) throw error;
        await client.query('ROLLBACK');
        this.rollbacks += 1;
      }
      for (let waited = 0; waited < this.#options.schemaChangeMs && !this.#stopped; waited += 50) await pause(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => undefined);
    await Promise.all(this.#clients.map((client) => client.end().catch(() => undefined)));
  }
}

/** Of the connection, or a server that shuts down, starts, or recovers (SQLSTATE class 57). */
function isOutage(error: unknown): boolean {
  return !(error instanceof pg.DatabaseError) || error.code?.startsWith('57') === true;
}

/** The pace of the load, not a wait for anything. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
