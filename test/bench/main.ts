import { parseArgs } from 'node:util';
import { DEFAULT_MARIADB } from '../../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL } from '../../deploy/local/mysql.ts';
import { type StackRequest, startStack } from '../../deploy/local/stack.ts';
import { stackEnvironment } from '../../deploy/local/stack-urls.ts';
import { builtPackage } from '../support/built-package.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { benchMysql } from './mysql.ts';
import { benchPostgres } from './postgres.ts';
import { type Figure, machine, renderFigures } from './report.ts';
import { benchSnapshot } from './snapshot.ts';

const USAGE = 'usage: npm run bench -- <postgres|mysql|mariadb|snapshot> [--rows N] [--json]';

const SERVERS = ['postgres', 'mysql', 'mariadb', 'snapshot'];

function databaseOf(server: string): StackRequest {
  if (server === 'postgres' || server === 'snapshot') return { postgres: [17] };
  return server === 'mysql'
    ? { mysql: process.env.TEST_MYSQL_VERSION || DEFAULT_MYSQL }
    : { mariadb: process.env.TEST_MARIADB_VERSION || DEFAULT_MARIADB };
}

function measure(server: string, rows: number, main: string): Promise<Figure[]> {
  if (server === 'postgres') return benchPostgres({ rows, main });
  return server === 'snapshot' ? benchSnapshot({ rows, main }) : benchMysql(server as MysqlServer, { rows, main });
}

/** Exit code 2 for wrong usage. */
async function bench(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rows: { type: 'string', default: '1000000' }, json: { type: 'boolean', default: false } },
  });
  const rows = Number(values.rows);
  const [server = ''] = positionals;
  if (
    positionals.length !== 1 ||
    !SERVERS.includes(server) ||
    !Number.isInteger(rows) ||
    rows < 1_000 ||
    rows % 1_000 !== 0
  ) {
    process.stderr.write(`${USAGE}\nN is a multiple of 1000\n`);
    return 2;
  }
  // Measured is what users run: the compiled package, not type stripping.
  const main = builtPackage('bench-package');
  const stack = await startStack({ ...databaseOf(server), kafka: true, registry: true });
  try {
    Object.assign(process.env, stackEnvironment(stack.urls));
    const figures = await measure(server, rows, main);
    if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
    else process.stdout.write(`${machine()}\n\n${renderFigures(figures)}\n`);
    return 0;
  } finally {
    await stack.stop();
  }
}

// kafkajs, which deletes the topics afterwards, sets a negative timer: known, harmless, and not ours.
process.removeAllListeners('warning');
process.exitCode = await bench();
