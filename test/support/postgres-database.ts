import pg from 'pg';
import { awaitUntil } from './await-until.ts';
import { postgresUrl } from './services.ts';
import { uniqueName } from './unique-name.ts';

/** A database of one test, alone in it. */
export interface PostgresDatabase extends AsyncDisposable {
  readonly name: string;
  /** `postgres://…/<name>` of a superuser. */
  readonly url: string;
  /** Runs one statement (or several without values) on a connection that stays open until `drop`, or the server ends it. */
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
  /** Removes replication slots, publications and the database; ends whoever is still connected. Calling it again does nothing. */
  drop(): Promise<void>;
}

export interface PostgresDatabaseOptions {
  readonly prefix?: string;
  /** Exactly this name, instead of a unique one: a database that has it is dropped first. */
  readonly name?: string;
  /** Major version of the server; see `postgresUrl`. */
  readonly version?: number;
  /** SQL to run first. */
  readonly sql?: string;
}

/**
 * Creates a database with a unique name. Use it as `await using database = await createPostgresDatabase()`,
 * or hand `drop` to `after`.
 */
export async function createPostgresDatabase(options: PostgresDatabaseOptions = {}): Promise<PostgresDatabase> {
  const serverUrl = options.version === undefined ? postgresUrl() : postgresUrl(options.version);
  const name = options.name ?? uniqueName(options.prefix ?? 'test');
  await onServer(serverUrl, async (server) => {
    if (options.name !== undefined) await dropDatabase(server, name);
    await server.query(`CREATE DATABASE ${name}`);
  });
  const url = withDatabase(serverUrl, name);
  let client = await connect(url);
  let dropped: Promise<void> | undefined;
  const drop = () => {
    dropped ??= (async () => {
      await client.end().catch(ignoreBrokenConnection);
      await onServer(serverUrl, (server) => dropDatabase(server, name));
    })();
    return dropped;
  };
  const database: PostgresDatabase = {
    name,
    url,
    async query<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]> {
      // The server was restarted since the last one, which is what some tests do.
      if (ended.has(client)) client = await connect(url);
      const result = await client.query<R>(sql, values);
      return result.rows ?? [];
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
  if (options.sql !== undefined) {
    try {
      await client.query(options.sql);
    } catch (error) {
      await drop();
      throw error;
    }
  }
  return database;
}

async function dropDatabase(server: pg.Client, name: string): Promise<void> {
  await awaitUntil(`the slots of ${name} could be dropped`, async () => {
    const slots = await server.query<{ slot_name: string; active_pid: number | null }>(
      'SELECT slot_name, active_pid FROM pg_replication_slots WHERE database = $1',
      [name],
    );
    for (const slot of slots.rows) {
      if (slot.active_pid !== null) await server.query('SELECT pg_terminate_backend($1)', [slot.active_pid]);
      else await server.query('SELECT pg_drop_replication_slot($1)', [slot.slot_name]);
    }
    return slots.rows.length === 0;
  });
  await server.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

async function onServer<T>(url: string, work: (server: pg.Client) => Promise<T>): Promise<T> {
  const server = await connect(url);
  try {
    return await work(server);
  } finally {
    await server.end().catch(ignoreBrokenConnection);
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A test may kill the server on purpose; the next query reports it, an unheard 'error' event would end the process.
  client.on('error', ignoreBrokenConnection);
  client.on('end', () => ended.add(client));
  await client.connect();
  return client;
}

/** Connections that nobody can use any more. */
const ended = new WeakSet<pg.Client>();

function ignoreBrokenConnection(): void {
  // Nothing to do: the connection was to be closed anyway, or the next query fails with the same news.
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}
