import pg from 'pg';
import { awaitUntil } from './await-until.ts';
import { runOnPostgres } from './run-on-postgres.ts';

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
  await runOnPostgres(url, `ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
  await runOnPostgres(url, 'SELECT pg_reload_conf()');
}

/** Commits a transaction of no rows and looks whether that ends; one that waits is told to do without. */
async function doesCommitWait(url: string): Promise<boolean> {
  const committer = new pg.Client({ connectionString: url });
  committer.on('error', () => undefined);
  await committer.connect();
  try {
    const { rows } = await committer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { pid } = rows[0]!;
    let isDone = false;
    const committing = committer.query(`SELECT pg_logical_emit_message(true, 'probe', '')`).finally(() => {
      isDone = true;
    });
    const waits = await awaitUntil('the probe ended or waited', async () => {
      const statement = 'SELECT wait_event AS event FROM pg_stat_activity WHERE pid = $1';
      const [found] = await runOnPostgres<{ event: string | null }>(url, statement, [pid]);
      if (found?.event === 'SyncRep') return 'yes';
      return isDone ? 'no' : null;
    });
    if (waits === 'yes') await runOnPostgres(url, 'SELECT pg_cancel_backend($1)', [pid]);
    await committing;
    return waits === 'yes';
  } finally {
    await committer.end();
  }
}
