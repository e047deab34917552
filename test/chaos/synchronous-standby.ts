import pg from 'pg';
import { startPostgresStandby } from '../support/postgres-standby.ts';
import { postgresUrl } from '../support/services.ts';

/** What a standby calls itself where nothing tells otherwise. */
const STANDBY = 'walreceiver';

/**
 * Lets commits of the local stack's Postgres wait until a standby has applied them: they are in the log before others see
 * them.
 */
export async function synchronousStandby(): Promise<AsyncDisposable> {
  const standby = await startPostgresStandby(postgresUrl());
  await configure(STANDBY);
  return {
    async [Symbol.asyncDispose]() {
      await configure('');
      await standby[Symbol.asyncDispose]();
    },
  };
}

async function configure(names: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl() });
  await client.connect();
  try {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await client.query(`ALTER SYSTEM SET synchronous_commit = '${names === '' ? 'on' : 'remote_apply'}'`);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}
