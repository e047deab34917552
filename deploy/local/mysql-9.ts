import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT, asRoot, FULL_METADATA, startBinlogServer } from './binlog-server.ts';
import { cached } from './cache.ts';
import { debianPackages, foreignProgram } from './debian-packages.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

const PACKAGES = ['mysql-server-core', 'mysql-client-core'];
// Each server makes its own account: a replica has no transaction that its source lacks.
const INIT_SQL = `SET sql_log_bin = 0;
CREATE USER IF NOT EXISTS '${ACCOUNT.user}'@'%' IDENTIFIED WITH caching_sha2_password BY '${ACCOUNT.password}';
GRANT ALL ON *.* TO '${ACCOUNT.user}'@'%' WITH GRANT OPTION;
`;

/** MySQL 9, with GTIDs and an account `cdc` that may do everything. */
export async function startMysql9(context: ServiceContext, more: readonly string[]): Promise<Service> {
  const { report, signal } = context;
  const tree = await debianPackages('sid', PACKAGES, 'MySQL 9 (66 MB)', report, signal);
  const command = foreignProgram(tree, 'usr/sbin/mysqld');
  const options = [
    '--no-defaults',
    `--basedir=${join(tree, 'usr')}`,
    `--plugin-dir=${join(tree, 'usr/lib/mysql/plugin')}`,
    `--lc-messages-dir=${join(tree, 'usr/share/mysql')}`,
    `--character-sets-dir=${join(tree, 'usr/share/mysql/charsets')}`,
    '--secure-file-priv=NULL',
    ...asRoot(),
  ];
  const template = await cached('mysql-sid-data', 'initialising MySQL', report, (draft) =>
    initialise(command, options, draft, signal),
  );
  return startBinlogServer(
    {
      name: 'mysql',
      command,
      options: [
        ...options,
        FULL_METADATA,
        '--mysqlx=OFF',
        '--server-id=97',
        '--gtid-mode=ON',
        '--enforce-gtid-consistency=ON',
      ],
      more,
      template: join(template, 'data'),
      initSql: INIT_SQL,
    },
    context,
  );
}

async function initialise(
  [command, ...prefix]: readonly [string, ...string[]],
  options: readonly string[],
  draft: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(join(draft, 'tmp'));
  const args = [
    ...prefix,
    ...options,
    `--datadir=${join(draft, 'data')}`,
    `--tmpdir=${join(draft, 'tmp')}`,
    '--initialize-insecure',
    '--innodb-redo-log-capacity=8M',
    `--log-error=${join(draft, 'init.err')}`,
  ];
  await runCommand(command, args, { timeoutMs: 120_000, signal, cwd: draft });
  // Every copy gets an identity of its own.
  await runCommand('rm', ['-f', join(draft, 'data', 'auto.cnf')], { timeoutMs: 10_000, signal });
}
