import mysql from 'mysql2/promise';
import pg from 'pg';
import { load as loadMysql, TABLE_SQL as MYSQL_TABLE } from '../bench/mysql-rows.ts';
import { load as loadPostgres, TABLE_SQL as POSTGRES_TABLE } from '../bench/postgres-rows.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource } from './mysql-database.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import { testSource } from './test-source.ts';

/** One large table (`rows`, of the measurements) in a database of its own; dropped when disposed. */
export interface LoadedTable extends AsyncDisposable {
  /** The same as the database's name in MySQL's terms, `public` in Postgres'. */
  readonly schema: string;
  /** Of the server, and in Postgres of the database. */
  readonly url: string;
  source(name: string): Record<string, unknown>;
  connect(): Promise<Writer>;
  query<R extends object>(sql: string): Promise<R[]>;
}

/** A connection that writes to it. */
interface Writer extends AsyncDisposable {
  /** Resolves to false where another transaction was in the way, and nothing was done. */
  transact(statements: readonly string[]): Promise<boolean>;
}

/** @param prepare further statements, before the rows. */
export function loadedTable(
  database: 'postgres' | MysqlServer,
  rows: number,
  prepare: readonly string[] = [],
): Promise<LoadedTable> {
  return database === 'postgres' ? onPostgres(rows, prepare) : onMysql(database, rows, prepare);
}

async function onPostgres(rows: number, prepare: readonly string[]): Promise<LoadedTable> {
  const database = await createPostgresDatabase({ prefix: 'snapload', sql: [POSTGRES_TABLE, ...prepare].join(';') });
  await loadPostgres(database, rows, Math.min(rows, 100_000));
  await database.query('VACUUM ANALYZE rows');
  return {
    schema: 'public',
    url: database.url,
    source: (name) => testSource(name, database, { snapshot: { mode: 'initial' } }),
    connect: () => postgresWriter(database.url),
    query: async <R extends object>(sql: string) => (await database.query(sql)) as unknown as R[],
    [Symbol.asyncDispose]: () => database.drop(),
  };
}

async function postgresWriter(url: string): Promise<Writer> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const run = async (statements: readonly string[]) => void (await client.query(statements.join(';')));
  return { transact: transaction(run, ['40P01', '23505']), [Symbol.asyncDispose]: () => client.end() };
}

async function onMysql(server: MysqlServer, rows: number, prepare: readonly string[]): Promise<LoadedTable> {
  const database = await createMysqlDatabase(server, [MYSQL_TABLE, ...prepare]);
  await loadMysql(database, rows, 1_000, false);
  await database.query('DROP TABLE numbers');
  return {
    schema: database.name,
    url: database.url,
    source: (name) => mysqlSource(name, database, { snapshot: { mode: 'initial' } }),
    connect: () => mysqlWriter(database.url, database.name),
    query: (sql) => database.query(sql),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

async function mysqlWriter(uri: string, database: string): Promise<Writer> {
  const client = await mysql.createConnection({ uri, database, multipleStatements: true });
  const run = async (statements: readonly string[]) =>
    void (await client.query(statements.map((sql) => sql.replaceAll(/\brows\b/g, '`rows`')).join(';')));
  const inTheWay = ['ER_LOCK_DEADLOCK', 'ER_DUP_ENTRY', 'ER_CHECKREAD'];
  return { transact: transaction(run, inTheWay), [Symbol.asyncDispose]: () => client.end() };
}

/** @param inTheWay codes of errors that another transaction may be the cause of. */
function transaction(
  run: (statements: readonly string[]) => Promise<void>,
  inTheWay: readonly string[],
): Writer['transact'] {
  return async (statements) => {
    try {
      await run(['BEGIN', ...statements, 'COMMIT']);
      return true;
    } catch (error) {
      if (!inTheWay.includes((error as { code: string }).code)) throw error;
      await run(['ROLLBACK']);
      return false;
    }
  };
}
