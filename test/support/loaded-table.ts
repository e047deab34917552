import { setTimeout as pause } from 'node:timers/promises';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { load as loadMysql, TABLE_SQL as MYSQL_TABLE } from '../bench/mysql-rows.ts';
import { load as loadPostgres, TABLE_SQL as POSTGRES_TABLE } from '../bench/postgres-rows.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource } from './mysql-database.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import { testSource } from './test-source.ts';
import type { SeededRandom } from './workload-random.ts';

/** One large table (`rows`, of the measurements) in a database of its own; dropped when disposed. */
export interface LoadedTable extends AsyncDisposable {
  /** The same as the database's name in MySQL's terms, `public` in Postgres'. */
  readonly schema: string;
  /** Of the server, and in Postgres of the database. */
  readonly url: string;
  source(name: string): Record<string, unknown>;
  /** One or more statements, in order, on one connection. */
  run(...statements: readonly string[]): Promise<void>;
  query<R extends object>(sql: string): Promise<R[]>;
}

/** @param prepare further statements, before the rows. */
export function loadedTable(
  database: 'postgres' | MysqlServer,
  rows: number,
  prepare: readonly string[] = [],
): Promise<LoadedTable> {
  return database === 'postgres' ? onPostgres(rows, prepare) : onMysql(database, rows, prepare);
}

export interface TableWrites {
  /** Keys are from 1 to a twentieth beyond this. */
  readonly rows: number;
  readonly random: SeededRandom;
  readonly changesPerSecond: number;
  readonly stop: AbortSignal;
}

const MOST_IN_TRANSACTION = 5;

/** Transactions of updates, deletes, inserts and changes of the key, until stopped. @returns how many changes were made. */
export async function writeTo(
  table: LoadedTable,
  { rows, random, changesPerSecond, stop }: TableWrites,
): Promise<number> {
  const key = () => random.int(1, Math.floor(rows * 1.05));
  const startedAt = performance.now();
  let changes = 0;
  while (!stop.aborted) {
    const count = random.int(1, MOST_IN_TRANSACTION);
    const statements = Array.from({ length: count }, () => change(random.int(0, 99), key(), key(), changes));
    await table.run('BEGIN', ...statements.flat(), 'COMMIT');
    changes += count;
    const aheadMs = (changes / changesPerSecond) * 1000 - (performance.now() - startedAt);
    if (aheadMs > 10) await pause(aheadMs);
  }
  return changes;
}

function change(verb: number, key: number, other: number, value: number): string[] {
  if (verb < 55) return [`UPDATE rows SET a = a + 1, d = ${value} WHERE id = ${key}`];
  if (verb < 70) return [`DELETE FROM rows WHERE id = ${key}`];
  if (verb < 90) {
    const isAbsent = `NOT EXISTS (SELECT 1 FROM rows WHERE id = ${key})`;
    return [`INSERT INTO rows (id, a, t) SELECT ${key}, 0, 'new' WHERE ${isAbsent}`];
  }
  return [`DELETE FROM rows WHERE id = ${other}`, `UPDATE rows SET id = ${other} WHERE id = ${key}`];
}

async function onPostgres(rows: number, prepare: readonly string[]): Promise<LoadedTable> {
  const database = await createPostgresDatabase({ prefix: 'snapload', sql: [POSTGRES_TABLE, ...prepare].join(';') });
  await loadPostgres(database, rows, Math.min(rows, 100_000));
  await database.query('VACUUM ANALYZE rows');
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return {
    schema: 'public',
    url: database.url,
    source: (name) => testSource(name, database, { snapshot: { mode: 'initial' } }),
    run: async (...statements) => void (await client.query(statements.join(';'))),
    query: async <R extends object>(sql: string) => (await database.query(sql)) as unknown as R[],
    async [Symbol.asyncDispose]() {
      await client.end();
      await database.drop();
    },
  };
}

async function onMysql(server: MysqlServer, rows: number, prepare: readonly string[]): Promise<LoadedTable> {
  const database = await createMysqlDatabase(server, [MYSQL_TABLE, ...prepare]);
  await loadMysql(database, rows, 1_000, false);
  await database.query('DROP TABLE numbers');
  const writer = await mysql.createConnection({ uri: database.url, database: database.name, multipleStatements: true });
  return {
    schema: database.name,
    url: database.url,
    source: (name) => mysqlSource(name, database, { snapshot: { mode: 'initial' } }),
    run: async (...statements) =>
      void (await writer.query(statements.map((sql) => sql.replaceAll(/\brows\b/g, '`rows`')).join(';'))),
    query: (sql) => database.query(sql),
    async [Symbol.asyncDispose]() {
      await writer.end();
      await database[Symbol.asyncDispose]();
    },
  };
}
