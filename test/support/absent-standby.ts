import pg from 'pg';
import { awaitUntil } from './await-until.ts';

const ABSENT = 'nobody_of_this_name';

/**
 * Makes the commits of a whole server wait for a standby that is not there; they go on when this is disposed of. Resolves when a
 * commit does wait: a backend that has read the setting says nothing about it, the checkpointer is who puts it in force.
 *
 * @param url of a superuser, on a server of the test's own
 */
export async function absentStandby(url: string): Promise<AsyncDisposable> {
  await configure(url, ABSENT);
  const restore = () => configure(url, '');
  try {
    await awaitUntil('commits waited for the standby', () => doesCommitWait(url));
  } catch (error) {
    await restore();
    throw error;
  }
  return { [Symbol.asyncDispose]: restore };
}

async function configure(url: string, names: string): Promise<void> {
  const client = await connect(url);
  try {
    await client.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await client.query('SELECT pg_reload_conf()');
  } finally {
    await client.end();
  }
}

/** Commits a transaction of no rows and looks whether that ends; one that waits is told to do without. */
async function doesCommitWait(url: string): Promise<boolean> {
  const committer = await connect(url);
  const observer = await connect(url);
  try {
    const { rows } = await committer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { pid } = rows[0]!;
    let isDone = false;
    const committing = committer.query(`SELECT pg_logical_emit_message(true, 'probe', '')`).finally(() => {
      isDone = true;
    });
    const waits = await awaitUntil('the probe ended or waited', async () => {
      const { rows: found } = await observer.query<{ event: string | null }>(
        'SELECT wait_event AS event FROM pg_stat_activity WHERE pid = $1',
        [pid],
      );
      if (found[0]?.event === 'SyncRep') return 'yes';
      return isDone ? 'no' : null;
    });
    if (waits === 'yes') await observer.query('SELECT pg_cancel_backend($1)', [pid]);
    await committing;
    return waits === 'yes';
  } finally {
    await committer.end();
    await observer.end();
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
