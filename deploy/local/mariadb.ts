import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT, asRoot, FULL_METADATA, startBinlogServer } from './binlog-server.ts';
import { cached } from './cache.ts';
import { mariadbTree } from './mariadb-tree.ts';
import type { Service, ServiceContext } from './service.ts';

export const DEFAULT_MARIADB = '11.8';
/** What `mariadb-install-db` gives the server; that script cannot run a server with a loader of its own. */
const SYSTEM_TABLES = ['system_tables', 'performance_tables', 'system_tables_data', 'sys_schema'];
/** What MariaDB has by itself from 11.6 on: the same tables are made of the same statements on all of them. */
const DEFAULT_TEXT = ['--character-set-server=utf8mb4', '--collation-server=utf8mb4_uca1400_ai_ci'];
// Each server makes its own account: a replica has no transaction that its source lacks.
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS '${ACCOUNT.user}'@'%' IDENTIFIED BY '${ACCOUNT.password}';
GRANT ALL ON *.* TO '${ACCOUNT.user}'@'%' WITH GRANT OPTION;
`;

/**
 * MariaDB with an account `cdc` that may do everything.
 * @param more options; they win over those of here
 */
export async function startMariadb(
  version: string,
  context: ServiceContext,
  more: readonly string[] = [],
): Promise<Service> {
  const { report, signal } = context;
  const { command, share, options: places } = await mariadbTree(version, context);
  const options = [
    '--no-defaults',
    ...places,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    ...asRoot(),
  ];
  const template = await cached(`mariadb-${version}-data`, `initialising MariaDB ${version}`, report, async (draft) => {
    await mkdir(join(draft, 'data'));
    const prefix = existsSync(join(share, 'mariadb_system_tables.sql')) ? 'mariadb' : 'mysql';
    const tables = SYSTEM_TABLES.map((part) => readFileSync(join(share, `${prefix}_${part}.sql`), 'utf8'));
    const script = ['create database mysql;', 'use mysql;', ...tables].join('\n');
    await bootstrap([...command, ...options, `--datadir=${join(draft, 'data')}`, '--bootstrap'], script, signal);
  });
  return startBinlogServer(
    {
      name: `mariadb-${version}`,
      command,
      options: [
        ...options,
        ...DEFAULT_TEXT,
        FULL_METADATA,
        '--server-id=1011',
        '--gtid-strict-mode=ON',
        '--log-slave-updates=ON',
      ],
      more,
      template: join(template, 'data'),
      initSql: INIT_SQL,
    },
    context,
  );
}

/** Feeds the script to a server that only runs it. */
function bootstrap(commandLine: readonly string[], script: string, signal: AbortSignal): Promise<void> {
  const [command = '', ...args] = commandLine;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'], signal, timeout: 120_000 });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`MariaDB could not be initialised:\n${said}`)),
    );
    // It may end before it has read everything; its exit code says more than a broken pipe.
    child.stdin.once('error', () => undefined);
    child.stdin.end(script);
  });
}
