import { parseArgs } from 'node:util';
import { DEFAULT_MARIADB } from '../../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL } from '../../deploy/local/mysql.ts';
import { type StackRequest, startStack } from '../../deploy/local/stack.ts';
import { stackEnvironment } from '../../deploy/local/stack-urls.ts';
import { builtPackage } from '../support/built-package.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { renderCharts } from './chart.ts';
import { benchLatency } from './latency.ts';
import { benchMysql } from './mysql.ts';
import { benchPostgres } from './postgres.ts';
import { type Figure, machine, renderFigures } from './report.ts';
import { benchScale } from './scale.ts';
import { benchSnapshot } from './snapshot.ts';

const USAGE = `usage: npm run bench -- <postgres|mysql|mariadb> [options]          draining a backlog
       npm run bench -- snapshot [postgres|mysql|mariadb] [options]    an initial snapshot, of all three unless told
       npm run bench -- latency [--json]                               from commit to consumer, at a steady rate
       npm run bench -- scale [--rows N] [--json]                      a thousand tables, twenty sources

  --rows N     a multiple of 1000 (1000000)
  --debezium   Debezium, too, in Kafka Connect
  --json       figures for a program
`;

type Database = 'postgres' | MysqlServer;

const DATABASES: readonly Database[] = ['postgres', 'mysql', 'mariadb'];

type Subject = 'drain' | 'snapshot' | 'latency' | 'scale';

interface Command {
  readonly subject: Subject;
  readonly databases: readonly Database[];
  readonly rows: number;
  readonly debezium: boolean;
  readonly json: boolean;
}

/** Null for wrong usage. */
function readCommand(): Command | null {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rows: { type: 'string', default: '1000000' },
      debezium: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const rows = Number(values.rows);
  if (!Number.isInteger(rows) || rows < 1_000 || rows % 1_000 !== 0) return null;
  const [first = '', ...others] = positionals;
  const options = { rows, debezium: values.debezium, json: values.json };
  if (first === 'latency' || first === 'scale') {
    return others.length > 0 || values.debezium ? null : { subject: first, databases: ['postgres'], ...options };
  }
  const subject = first === 'snapshot' ? 'snapshot' : 'drain';
  const named = subject === 'snapshot' ? others : positionals;
  const databases =
    subject === 'snapshot' && named.length === 0 ? DATABASES : DATABASES.filter((each) => named.includes(each));
  return named.length > 1 || databases.length === 0 ? null : { subject, databases, ...options };
}

function serverOf(database: Database): StackRequest {
  if (database === 'postgres') return { postgres: [17] };
  return database === 'mysql'
    ? { mysql: process.env.TEST_MYSQL_VERSION || DEFAULT_MYSQL }
    : { mariadb: process.env.TEST_MARIADB_VERSION || DEFAULT_MARIADB };
}

async function measure({ subject, databases, rows, debezium }: Command, main: string): Promise<Figure[]> {
  if (subject === 'latency') return benchLatency({ main });
  if (subject === 'scale') return benchScale({ rows, main });
  const figures: Figure[] = [];
  const options = { rows, main, debezium };
  for (const database of databases) {
    if (subject === 'snapshot') figures.push(...(await benchSnapshot(database, options)));
    else if (database === 'postgres') figures.push(...(await benchPostgres(options)));
    else figures.push(...(await benchMysql(database, options)));
  }
  return figures;
}

/** Exit code 2 for wrong usage. */
async function bench(): Promise<number> {
  const command = readCommand();
  if (command === null) {
    process.stderr.write(USAGE);
    return 2;
  }
  // Measured is what users run: the compiled package, not type stripping.
  const main = builtPackage('bench-package');
  const servers: StackRequest = Object.assign({}, ...command.databases.map(serverOf));
  const stack = await startStack({ ...servers, kafka: true, registry: true });
  try {
    Object.assign(process.env, stackEnvironment(stack.urls));
    const figures = await measure(command, main);
    if (command.json) process.stdout.write(`${JSON.stringify({ machine: machine(), figures }, null, 2)}\n`);
    else process.stdout.write(`${machine()}\n\n${renderFigures(figures)}\n\n${renderCharts(figures)}\n`);
    return 0;
  } finally {
    await stack.stop();
  }
}

// kafkajs, which deletes the topics afterwards, sets a negative timer: known, harmless, and not ours.
process.removeAllListeners('warning');
process.exitCode = await bench();
