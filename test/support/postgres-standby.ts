import { appendFile, chown, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { freePorts } from '../../deploy/local/free-ports.ts';
import { type ServiceProcess, startProcess, waitUntilReady } from '../../deploy/local/processes.ts';
import { runCommand } from '../../deploy/local/run-command.ts';

/** As the local stack: Postgres refuses to run as root. */
const UNPRIVILEGED_ID = 65_534;

export interface PostgresStandby extends AsyncDisposable {
  /** Of the database that the primary's URL names. */
  readonly url: string;
  readonly process: ServiceProcess;
}

/**
 * Starts a hot standby of a server of the local stack, beside its data. It ends before the stack does.
 * @param more lines of `postgresql.conf`; they win over those of here
 */
export async function startPostgresStandby(primaryUrl: string, more: readonly string[] = []): Promise<PostgresStandby> {
  const primary = new pg.Client({ connectionString: primaryUrl });
  await primary.connect();
  try {
    const { rows } = await primary.query<{ data: string; bin: string; version: number }>(
      `SELECT current_setting('data_directory') AS data, (SELECT setting FROM pg_config WHERE name = 'BINDIR') AS bin,
              current_setting('server_version_num')::int / 10000 AS version`,
    );
    const { data, bin, version } = rows[0]!;
    const directory = join(dirname(data), 'standby');
    await primary.query(
      version >= 15 ? `SELECT pg_backup_start('s', true)` : `SELECT pg_start_backup('s', true, false)`,
    );
    await runCommand('cp', ['-a', data, directory], { timeoutMs: 60_000 });
    const { rows: stopped } = await primary.query<{ labelfile: string }>(
      version >= 15
        ? 'SELECT labelfile FROM pg_backup_stop(false)'
        : 'SELECT labelfile FROM pg_stop_backup(false, false)',
    );
    await rm(join(directory, 'postmaster.pid'), { force: true });
    await writeFile(join(directory, 'backup_label'), stopped[0]!.labelfile);
    await writeFile(join(directory, 'standby.signal'), '');
    const runAs = process.getuid?.() === 0 ? UNPRIVILEGED_ID : undefined;
    if (runAs !== undefined) {
      for (const file of ['backup_label', 'standby.signal']) await chown(join(directory, file), runAs, runAs);
    }
    const url = new URL(primaryUrl);
    const settings = [
      `primary_conninfo = 'host=${url.hostname} port=${url.port} user=${url.username}'`,
      `unix_socket_directories = '${directory}'`,
      'hot_standby_feedback = on',
      'wal_receiver_status_interval = 1',
      ...more,
    ];
    await appendFile(join(directory, 'postgresql.conf'), `${settings.join('\n')}\n`);
    const [port] = await freePorts(1);
    const running = startProcess({
      name: 'standby',
      command: join(bin, 'postgres'),
      args: ['-D', directory, '-p', String(port)],
      cwd: dirname(data),
      runDirectory: dirname(dirname(data)),
      runAs,
      endsWithParent: true,
      stopSteps: [{ signal: 'SIGQUIT', waitMs: 5_000 }],
    });
    url.port = String(port);
    const standby = { url: url.href, process: running, [Symbol.asyncDispose]: () => running.stop() };
    await waitUntilReady(running, () => answers(url.href), { timeoutMs: 60_000 });
    return standby;
  } finally {
    await primary.end();
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return rows[0]!.standby;
  } catch (error) {
    const { code } = error as { code?: string };
    // Not listening yet, or starting up.
    if (code === 'ECONNREFUSED' || code === '57P03') return false;
    throw error;
  } finally {
    await client.end();
  }
}
