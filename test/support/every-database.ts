import { createMysqlDatabase, mysqlSource } from './mysql-database.ts';
import { createPostgresDatabase } from './postgres-database.ts';
import { testedServers } from './server-features.ts';
import { testSource } from './test-source.ts';

/** A database of one test, on whichever server. */
export interface AnyDatabase extends AsyncDisposable {
  query<R extends object = Record<string, unknown>>(sql: string): Promise<R[]>;
  source(name: string, settings?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Before the name of a table, in topics and patterns: `public`, or the name of the database. */
  readonly schema: string;
}

/** A kind of server, with what makes a database there; statements are what all of them take. */
export interface EachDatabase {
  readonly label: string;
  create(sql: readonly string[]): Promise<AnyDatabase>;
}

/** Postgres, and every MySQL and MariaDB that is tested. */
export async function everyDatabase(): Promise<readonly EachDatabase[]> {
  const servers = await testedServers();
  return [
    { label: 'Postgres', create: createOnPostgres },
    ...servers.map(({ server, label }) => ({
      label,
      async create(sql: readonly string[]): Promise<AnyDatabase> {
        const database = await createMysqlDatabase(server, sql);
        return {
          query: (text) => database.query(text),
          source: (name, settings) => mysqlSource(name, database, settings),
          schema: database.name,
          [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
        };
      },
    })),
  ];
}

async function createOnPostgres(sql: readonly string[]): Promise<AnyDatabase> {
  const database = await createPostgresDatabase({ sql: sql.join(';') });
  return {
    query: <R extends object>(text: string) => database.query(text) as Promise<object[]> as Promise<R[]>,
    source: (name, settings) => testSource(name, database, settings),
    schema: 'public',
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
