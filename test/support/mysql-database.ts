import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';
import { mysqlUrl } from './services.ts';
import { uniqueName } from './unique-name.ts';

export type MysqlServer = 'mysql' | 'mariadb';

/** A database of its own on a real server; dropped when disposed. */
export interface MysqlDatabase extends AsyncDisposable {
  readonly name: string;
  readonly server: MysqlServer;
  /** Of the server, with the account; sources name databases by their patterns. */
  readonly url: string;
  query<R extends object = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<R[]>;
  /** Another connection to it. */
  connect(): Promise<mysql.Connection>;
}

/** For an account that nobody else uses: MySQL 5.6 takes 16 characters. */
export function uniqueAccount(): string {
  return `u${randomBytes(5).toString('hex')}`;
}

export async function createMysqlDatabase(server: MysqlServer, sql: readonly string[] = []): Promise<MysqlDatabase> {
  const url = mysqlUrl(server);
  const name = uniqueName('db');
  const lost = new WeakSet<mysql.Connection>();
  const open = async () => {
    const opened = await mysql.createConnection({ uri: url, charset: 'utf8mb4', dateStrings: true });
    for (const event of ['error', 'end'] as const) opened.on(event, () => lost.add(opened));
    return opened;
  };
  let connection = await open();
  try {
    await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    await connection.query(`USE ${name}`);
    for (const statement of sql) await connection.query(statement);
  } catch (error) {
    // Left open it would keep the process of the test alive until its time is over.
    await connection.query(`DROP DATABASE IF EXISTS ${name}`);
    await connection.end();
    throw error;
  }
  return {
    name,
    server,
    url,
    async query<R extends object>(statement: string, values: readonly unknown[] = []) {
      if (lost.has(connection)) {
        // The server was restarted since the last one, which is what some tests do.
        connection = await open();
        await connection.query(`USE ${name}`);
      }
      const [rows] = await connection.query(statement, [...values]);
      return (Array.isArray(rows) ? rows : []) as R[];
    },
    async connect() {
      const other = await mysql.createConnection({ uri: url, charset: 'utf8mb4', dateStrings: true });
      await other.query(`USE ${name}`);
      return other;
    },
    async [Symbol.asyncDispose]() {
      if (lost.has(connection)) connection = await open();
      await connection.query(`DROP DATABASE IF EXISTS ${name}`);
      await connection.end();
    },
  };
}

/** A source that captures the tables of the database. */
export function mysqlSource(name: string, database: MysqlDatabase, settings: Readonly<Record<string, unknown>> = {}) {
  return {
    name,
    type: database.server,
    url: database.url,
    tables: { include: [`${database.name}\\..*`] },
    snapshot: { mode: 'no_data' },
    ...settings,
  };
}
