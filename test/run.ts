import { spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { constants } from 'node:os';
import { relative, resolve } from 'node:path';
import { CHECKOUT } from '../deploy/local/checkout.ts';
import { DEFAULT_MARIADB } from '../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL } from '../deploy/local/mysql.ts';
import { POSTGRES_VERSIONS } from '../deploy/local/postgres.ts';
import { startStack } from '../deploy/local/stack.ts';
import { stackEnvironment } from '../deploy/local/stack-urls.ts';

const USAGE = `usage: npm test [-- [unit|conformance|integration|e2e|mysql|faults|matrix] [file…] [--test-… options of node]]

  npm test                      unit, conformance, integration, e2e and mysql
  npm test -- mysql             what needs MySQL and MariaDB: folders of that name in conformance, integration and e2e
  npm test -- integration e2e   these suites
  npm test -- test/e2e/x.test.ts --test-name-pattern=slot
  npm run test:unit             no network, no services
  npm run test:matrix           integration and e2e on every Postgres from ${POSTGRES_VERSIONS[0]} to ${POSTGRES_VERSIONS.at(-1)}, then
                                mysql on MySQL 9 with MariaDB 11.8, MySQL 5.6 with MariaDB 10.11, MariaDB 11.4
  npm run test:matrix -- mysql  only these three; -- postgres: only the Postgres ones
  npm run test:faults           what kills services, brokers and the daemon

TEST_POSTGRES_VERSION chooses the Postgres (17), TEST_MYSQL_VERSION the MySQL (9, 5.6) and TEST_MARIADB_VERSION the MariaDB
(11.8, 11.4, 10.11); the matrix chooses its own. Services named in TEST_POSTGRES_URL, TEST_MYSQL_URL, TEST_MARIADB_URL,
TEST_KAFKA_BROKERS or TEST_REGISTRY_URL are used instead of started.
`;

type BinlogServers = Pick<Suite, 'mysql' | 'mariadb'>;

interface Suite {
  readonly name: string;
  readonly files: readonly string[];
  /** Major version for services; null runs without any service. */
  readonly postgres: number | null;
  /** Versions for services; null where it is not needed. */
  readonly mysql: string | null;
  readonly mariadb: string | null;
  readonly timeoutMs: number;
  /** Files that run at the same time. */
  readonly concurrency: number;
}

const FULL = ['unit', 'conformance', 'integration', 'e2e', 'mysql'];
const NAMES = [...FULL, 'faults'];
const DEFAULT_POSTGRES = Number(process.env.TEST_POSTGRES_VERSION || 17);
const SERVERS: BinlogServers = {
  mysql: process.env.TEST_MYSQL_VERSION || DEFAULT_MYSQL,
  mariadb: process.env.TEST_MARIADB_VERSION || DEFAULT_MARIADB,
};
/** What the mysql suite of the matrix runs on, two servers at a time. */
const SERVER_MATRIX: readonly BinlogServers[] = [
  { mysql: '9', mariadb: '11.8' },
  { mysql: '5.6', mariadb: '10.11' },
  { mysql: null, mariadb: '11.4' },
];

/** Ended by SIGINT or SIGTERM: the running suite, then the stack. */
const aborter = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => aborter.abort(signal));

function suite(name: string, postgres = DEFAULT_POSTGRES, servers = SERVERS): Suite {
  const files = globSync(patternOf(name), { cwd: CHECKOUT }).sort();
  const none = { mysql: null, mariadb: null };
  if (name === 'unit') return { name, files, postgres: null, ...none, timeoutMs: 60_000, concurrency: 1 };
  const serviced = { name, postgres, timeoutMs: 900_000 };
  // The binlog is one for the whole server: a prepared XA transaction of one test would be in the way of another's start.
  if (name === 'mysql' || name === 'faults') return { ...serviced, files, ...servers, concurrency: 1 };
  // Most of what these do is wait.
  return { ...serviced, files: files.filter((file) => !NEEDS_MYSQL.test(file)), ...none, concurrency: 2 };
}

/** Folders whose tests run against MySQL and MariaDB. */
const NEEDS_MYSQL = /^test\/(conformance|integration|e2e)\/mysql\//;

function patternOf(name: string): string {
  if (name === 'faults') return 'test/**/*.fault.ts';
  return name === 'mysql' ? 'test/{conformance,integration,e2e}/mysql/**/*.test.ts' : `test/${name}/**/*.test.ts`;
}

function suitesFor(words: readonly string[]): Suite[] {
  if (words.length === 0) return FULL.map((name) => suite(name));
  if (words.includes('matrix')) return matrix(words.filter((word) => word !== 'matrix'));
  const suites = words.filter((word) => NAMES.includes(word)).map((name) => suite(name));
  const files = words.filter((word) => !NAMES.includes(word)).map((word) => relative(CHECKOUT, resolve(word)));
  const absent = files.find((file) => !existsSync(resolve(CHECKOUT, file)));
  if (absent !== undefined) usage(`there is no suite and no file "${absent}"`);
  const unit = files.filter((file) => file.startsWith('test/unit/'));
  const mysql = files.filter((file) => NEEDS_MYSQL.test(file));
  const rest = files.filter((file) => !unit.includes(file) && !mysql.includes(file));
  if (unit.length > 0) suites.push({ ...suite('unit'), name: 'unit files', files: unit });
  if (rest.length > 0) suites.push({ ...suite('e2e'), name: 'files', files: rest });
  if (mysql.length > 0) suites.push({ ...suite('mysql'), name: 'mysql files', files: mysql });
  return suites;
}

function matrix(words: readonly string[]): Suite[] {
  const parts = words.length === 0 ? ['postgres', 'mysql'] : words;
  const other = parts.find((part) => part !== 'postgres' && part !== 'mysql');
  if (other !== undefined) usage(`the matrix has no part "${other}": say mysql or postgres`);
  if (parts.includes('mysql') && (process.env.TEST_MYSQL_URL || process.env.TEST_MARIADB_URL)) {
    usage('the matrix starts its servers: unset TEST_MYSQL_URL and TEST_MARIADB_URL, they are of one version only');
  }
  const ofPostgres = POSTGRES_VERSIONS.flatMap((version) =>
    ['integration', 'e2e'].map((name) => ({ ...suite(name, version), name: `${name} on Postgres ${version}` })),
  );
  const ofMysql = SERVER_MATRIX.map((servers) => {
    const names = [
      servers.mysql === null ? [] : `MySQL ${servers.mysql}`,
      servers.mariadb === null ? [] : `MariaDB ${servers.mariadb}`,
    ];
    return { ...suite('mysql', DEFAULT_POSTGRES, servers), name: `mysql on ${names.flat().join(' and ')}` };
  });
  return [...(parts.includes('postgres') ? ofPostgres : []), ...(parts.includes('mysql') ? ofMysql : [])];
}

function usage(problem: string): never {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

/** Unit tests share a few processes: one per file costs more than the tests, and some of them wait. */
const UNIT_SHARDS = 4;

/** Resolves to whether every test passed. */
async function runFiles(suite: Suite, options: readonly string[], environment: Record<string, string>) {
  if (suite.postgres !== null)
    return runProcess(suite, [`--test-concurrency=${suite.concurrency}`, ...options], environment);
  const shards = Math.min(UNIT_SHARDS, suite.files.length);
  const results = Array.from({ length: shards }, (_, i) =>
    runProcess(suite, ['--test-isolation=none', `--test-shard=${i + 1}/${shards}`, ...options], environment),
  );
  return (await Promise.all(results)).every((passed) => passed);
}

function runProcess(suite: Suite, options: readonly string[], environment: Record<string, string>): Promise<boolean> {
  const args = ['--test', `--test-timeout=${suite.timeoutMs}`, ...options, ...suite.files];
  // kafkajs, which reads our topics as an independent consumer, sets a negative timer: known, harmless, and not ours.
  const nodeOptions = `${process.env.NODE_OPTIONS ?? ''} --disable-warning=TimeoutNegativeWarning`.trim();
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, {
      cwd: CHECKOUT,
      stdio: 'inherit',
      env: { ...process.env, NODE_OPTIONS: nodeOptions, ...environment },
    });
    const onAbort = () => child.kill('SIGTERM');
    aborter.signal.addEventListener('abort', onAbort);
    child.once('error', failed);
    child.once('close', (code) => {
      aborter.signal.removeEventListener('abort', onAbort);
      done(code === 0);
    });
  });
}

/** Runs suites that want the same services on one stack. */
async function runGroup(suites: readonly Suite[], options: readonly string[]) {
  const { postgres = null, mysql = null, mariadb = null } = suites[0] ?? {};
  const servers = { ...(mysql === null ? {} : { mysql }), ...(mariadb === null ? {} : { mariadb }) };
  const stack =
    postgres === null || suites.every((suite) => suite.files.length === 0)
      ? null
      : await startStack({
          postgres: [postgres],
          ...servers,
          kafka: true,
          registry: true,
          signal: aborter.signal,
        });
  const environment: Record<string, string> =
    stack === null
      ? {}
      : {
          ...stackEnvironment(stack.urls),
          TEST_POSTGRES_VERSION: String(postgres),
          // Not set where neither is there: a test that needs one then says so.
          ...(mysql === null && mariadb === null ? {} : { TEST_BINLOG_SERVERS: Object.keys(servers).join(',') }),
        };
  const results: string[] = [];
  try {
    for (const suite of suites) {
      if (aborter.signal.aborted) break;
      const startedAt = performance.now();
      console.log(`\n── ${suite.name}: ${suite.files.length} files ──`);
      const passed = suite.files.length === 0 || (await runFiles(suite, options, environment));
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      results.push(`${passed ? 'passed' : 'FAILED'}  ${suite.name} (${suite.files.length} files, ${seconds} s)`);
    }
  } finally {
    await stack?.stop();
  }
  return results;
}

const words = process.argv.slice(2);
if (words.includes('--help')) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const unknown = words.find((word) => word.startsWith('-') && !word.startsWith('--test-'));
if (unknown !== undefined) usage(`unknown option ${unknown}`);
const options = words.filter((word) => word.startsWith('--test-'));
const suites = suitesFor(words.filter((word) => !word.startsWith('-')));
const results: string[] = [];
try {
  for (const group of Map.groupBy(
    suites,
    ({ postgres, mysql, mariadb }) => `${postgres} ${mysql} ${mariadb}`,
  ).values()) {
    if (!aborter.signal.aborted) results.push(...(await runGroup(group, options)));
  }
} catch (error) {
  if (!aborter.signal.aborted) throw error;
}
console.log(`\n${results.join('\n')}`);
if (aborter.signal.aborted) process.exit(128 + constants.signals[aborter.signal.reason as NodeJS.Signals]);
process.exitCode = results.some((line) => line.startsWith('FAILED')) ? 1 : 0;
