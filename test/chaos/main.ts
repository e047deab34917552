import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { DEFAULT_MARIADB } from '../../deploy/local/mariadb.ts';
import { DEFAULT_MYSQL } from '../../deploy/local/mysql.ts';
import type { Service } from '../../deploy/local/service.ts';
import { type StackRequest, startStack } from '../../deploy/local/stack.ts';
import { stackEnvironment } from '../../deploy/local/stack-urls.ts';
import { DURABLE } from '../support/binlog-pair.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import type { ChaosResult } from './kill-rounds.ts';
import { runMysqlChaos } from './mysql-chaos.ts';
import { runPostgresChaos } from './postgres-chaos.ts';
import { runSnapshotChaos } from './snapshot-chaos.ts';

const USAGE = `usage: npm run test:chaos -- <postgres|mysql|mariadb> [options]

Kills the daemon with SIGKILL at random moments under load, over and over, and compares topics with tables in the end.

  --rounds N               how often it is killed (100; 10 with --snapshot)
  --seed S                 the same decisions as in the run that printed this seed
  --checkpoint kafka|file  where checkpoints are kept (kafka)
  --trace FILE             writes a line for every record that is read in the end
  --restarts               now and then the database, the broker or the registry is restarted too, gracefully or by a crash
  --transaction-metadata   with BEGIN and END records, which are checked too
  --snapshot               kills it during the snapshot of one large table, compares with tailrace verify, and counts what
                           was read more than once
  --rows N                 of that table (5000000)
  --synchronous            with --snapshot, of Postgres: commits wait for a standby, and are in the log before they are visible
  --debezium               with --snapshot: Debezium's incremental snapshot of the same table runs beside it, is killed as
                           often, and is compared in the same way

TEST_POSTGRES_VERSION, TEST_MYSQL_VERSION and TEST_MARIADB_VERSION choose the server. Services named in TEST_POSTGRES_URL, TEST_MYSQL_URL, TEST_MARIADB_URL,
TEST_KAFKA_BROKERS or TEST_REGISTRY_URL are used instead of started, but with --restarts.
`;

type Database = 'postgres' | MysqlServer;

interface Command {
  readonly database: Database;
  readonly rounds: number;
  readonly seed: number;
  readonly checkpoint: 'kafka' | 'file';
  readonly transactionMetadata: boolean;
  /** Of the services too. */
  readonly restarts: boolean;
  /** Rows of the table to snapshot; null: the other run. */
  readonly snapshotRows: number | null;
  readonly debezium: boolean;
  readonly synchronous: boolean;
  readonly trace?: (line: string) => void;
}

function readCommand(): Command {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 0x1_0000_0000)) },
      checkpoint: { type: 'string', default: 'kafka' },
      restarts: { type: 'boolean', default: false },
      'transaction-metadata': { type: 'boolean', default: false },
      snapshot: { type: 'boolean', default: false },
      synchronous: { type: 'boolean', default: false },
      debezium: { type: 'boolean', default: false },
      rows: { type: 'string', default: '5000000' },
      trace: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    process.exit(0);
  }
  const [rounds, seed] = [Number(values.rounds ?? (values.snapshot ? 10 : 100)), Number(values.seed)];
  const database = positionals.join();
  if (!isDatabase(database)) usage('say what to run against: postgres, mysql or mariadb');
  const fewest = values.snapshot ? 0 : 1;
  if (!Number.isSafeInteger(rounds) || rounds < fewest) usage(`--rounds ${values.rounds} is no number of rounds`);
  if (!Number.isSafeInteger(seed) || seed < 0) usage(`--seed ${values.seed} is no seed`);
  if (values.checkpoint !== 'kafka' && values.checkpoint !== 'file') usage('--checkpoint is kafka or file');
  const rows = Number(values.rows);
  if (!Number.isSafeInteger(rows) || rows < 1_000 || rows % 1_000 !== 0) usage('--rows is a multiple of 1000');
  const snapshotRows = values.snapshot ? rows : null;
  if (values.debezium && !values.snapshot) usage('--debezium goes with --snapshot');
  if (values.synchronous && !(values.snapshot && database === 'postgres')) {
    usage('--synchronous goes with --snapshot, and with postgres');
  }
  if (values.restarts && values.snapshot) usage('--restarts does not go with --snapshot');
  const { checkpoint, trace: file } = values;
  const trace = file === undefined ? {} : { trace: (line: string) => appendFileSync(file, `${line}\n`) };
  return {
    database,
    rounds,
    seed,
    checkpoint,
    transactionMetadata: values['transaction-metadata'],
    restarts: values.restarts,
    snapshotRows,
    debezium: values.debezium,
    synchronous: values.synchronous,
    ...trace,
  };
}

function isDatabase(name: string): name is Database {
  return name === 'postgres' || name === 'mysql' || name === 'mariadb';
}

function servicesFor(database: Database): StackRequest {
  if (database === 'postgres') return { postgres: [Number(process.env.TEST_POSTGRES_VERSION || 17)] };
  return database === 'mysql'
    ? { mysql: process.env.TEST_MYSQL_VERSION || DEFAULT_MYSQL }
    : { mariadb: process.env.TEST_MARIADB_VERSION || DEFAULT_MARIADB };
}

function usage(problem: string): never {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

function printTable(result: ChaosResult, seed: number, seconds: number): void {
  const rows: (readonly [string, string | number])[] = [
    ['seed', seed],
    ['rounds', `${result.rounds} (${result.killedWhileStarting} killed while starting)`],
    ...[...result.restarts].map(([name, times]) => [`${name} restarts`, times] as const),
    ['transactions', `${result.transactions} committed, ${result.rollbacks} rolled back`],
    ['schema changes', result.schemaChanges],
    ['changes', result.changes],
    ['records', result.records],
    ['duplicates', result.duplicates],
    ['replays', result.replays],
    ['bytes', result.bytes],
    ['seconds', seconds],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(22)}${value}`);
}

async function streamChaos(chosen: Command, restarted: readonly Service[]): Promise<void> {
  console.log(`seed ${chosen.seed}, ${chosen.rounds} rounds, checkpoints in ${chosen.checkpoint}`);
  const { database } = chosen;
  const options = { ...chosen, restarted, progress: (line: string) => console.log(line) };
  const result = database === 'postgres' ? await runPostgresChaos(options) : await runMysqlChaos(database, options);
  printTable(result, chosen.seed, Math.round((performance.now() - startedAt) / 1000));
  if (result.exitCode !== 0) console.log(`the graceful stop ended with ${result.exitCode}`);
  for (const problem of result.problems) console.log(`PROBLEM ${problem}`);
  if (result.problems.length > 0 || result.exitCode !== 0) process.exitCode = 1;
}

async function snapshotChaos(chosen: Command, rows: number): Promise<void> {
  const { seed, rounds: kills, checkpoint } = chosen;
  console.log(`seed ${seed}, ${rows} rows, ${kills} kills, checkpoints in ${checkpoint}`);
  const progress = (line: string) => console.log(line);
  const result = await runSnapshotChaos({ ...chosen, rows, kills, progress });
  const { changes, changesPerSecond, seconds, repeated, problems } = result;
  const [before, ...afterKills] = repeated;
  console.log(`${changes} changes, ${Math.round(changesPerSecond)}/s; snapshot complete in ${Math.round(seconds)} s`);
  console.log(`rows read again: ${before} without a kill; after each kill ${afterKills.join(', ') || '–'}`);
  if (result.debezium !== null) {
    const { version, seconds: took, extra, missing, different } = result.debezium;
    const counts = `${extra} phantom rows, ${missing} missing, ${different} different`;
    console.log(`Debezium ${version}: ${counts}; incremental snapshot complete in ${Math.round(took)} s`);
  }
  for (const problem of problems) console.log(`PROBLEM ${problem}`);
  console.log(problems.length === 0 ? 'verify ended with 0 under load and at rest' : 'failed');
  if (problems.length > 0) process.exitCode = 1;
}

const command = readCommand();
const stack = await startStack({
  ...servicesFor(command.database),
  kafka: true,
  registry: true,
  ...(command.restarts ? { ownServices: true, binlogServerOptions: DURABLE } : {}),
});
const startedAt = performance.now();
try {
  Object.assign(process.env, stackEnvironment(stack.urls));
  if (command.snapshotRows !== null) await snapshotChaos(command, command.snapshotRows);
  else await streamChaos(command, command.restarts ? [...stack.services.values()] : []);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await stack.stop();
}
if (process.exitCode === 1) {
  const { database, rounds, seed, checkpoint, transactionMetadata, restarts } = command;
  const { snapshotRows, debezium, synchronous } = command;
  const options = `--rounds ${rounds} --seed ${seed} --checkpoint ${checkpoint}`;
  const metadata = `${transactionMetadata ? ' --transaction-metadata' : ''}${restarts ? ' --restarts' : ''}`;
  const beside = `${synchronous ? ' --synchronous' : ''}${debezium ? ' --debezium' : ''}`;
  const snapshot = snapshotRows === null ? '' : ` --snapshot --rows ${snapshotRows}${beside}`;
  console.error(`failed; again with: npm run test:chaos -- ${database} ${options}${metadata}${snapshot}`);
}
