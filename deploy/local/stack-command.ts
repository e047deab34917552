import { parseArgs } from 'node:util';
import { CHECKOUT } from './checkout.ts';
import { DEFAULT_MARIADB } from './mariadb.ts';
import { MARIADB_VERSIONS } from './mariadb-tree.ts';
import { DEFAULT_MYSQL, MYSQL_VERSIONS } from './mysql.ts';
import { POSTGRES_VERSIONS } from './postgres.ts';
import { isRunning } from './process-identity.ts';
import { reportToStderr } from './report.ts';
import { backgroundDirectory, readRecord, runningProcesses } from './run-directory.ts';
import { endStack, startStack } from './stack.ts';
import { type StackUrls, stackEnvironment } from './stack-urls.ts';

const USAGE = `usage: npm run stack -- <up|down|status> [--postgres 17[,16…]] [--mysql 9] [--mariadb 11.8] [--brokers 1|3]
                                              [--json]

  up      starts Postgres, MySQL, MariaDB, Kafka and a schema registry, prints their URLs and leaves them running
  down    ends them and removes their data
  status  says what runs

Versions of Postgres: ${POSTGRES_VERSIONS.join(', ')}; of MySQL: ${MYSQL_VERSIONS.join(', ')}; of MariaDB: ${MARIADB_VERSIONS.join(', ')}.
Exit codes: 0 done, 1 failed (status: nothing runs), 2 wrong usage.
`;

const directory = backgroundDirectory(CHECKOUT);

interface Wanted {
  readonly postgres: readonly number[];
  readonly mysql: string;
  readonly mariadb: string;
  readonly brokers: 1 | 3;
}

async function up({ brokers, ...databases }: Wanted, asJson: boolean): Promise<number> {
  const found = await runningUrls();
  if (found !== null) {
    reportToStderr('the stack is running already');
    print(found, asJson);
    return 0;
  }
  const startedAt = performance.now();
  const stack = await startStack({
    ...databases,
    kafka: { brokers },
    registry: true,
    backgroundDirectory: directory,
  });
  reportToStderr(
    `ready after ${((performance.now() - startedAt) / 1000).toFixed(1)} s; end it with: npm run stack -- down`,
  );
  print(stack.urls, asJson);
  return 0;
}

async function down(asJson: boolean): Promise<number> {
  const wasThere = readRecord(directory) !== null;
  await endStack(directory);
  if (asJson) console.log(JSON.stringify({ stopped: wasThere }));
  else console.log(wasThere ? 'stopped' : 'nothing was running');
  return 0;
}

async function status(asJson: boolean): Promise<number> {
  const urls = await runningUrls();
  if (urls !== null) {
    print(urls, asJson);
    return 0;
  }
  if (asJson) console.log('null');
  else console.log('nothing is running; start it with: npm run stack -- up');
  return 1;
}

/** URLs of the running stack. One of which a process died is ended, because half a stack is none. */
async function runningUrls(): Promise<StackUrls | null> {
  const record = readRecord(directory);
  if (record === null) return null;
  const isComplete = record.urls !== undefined && runningProcesses(directory).size === record.processCount;
  if (isComplete) return record.urls;
  if (record.owner !== null && isRunning(record.owner)) {
    throw new Error('another `stack -- up` of this checkout is under way: wait for it');
  }
  reportToStderr('the stack is not whole, a service or its start was killed: ending the rest of it');
  await endStack(directory);
  return null;
}

function print(urls: StackUrls, asJson: boolean): void {
  if (asJson) {
    console.log(JSON.stringify(urls));
    return;
  }
  for (const [version, url] of Object.entries(urls.postgres)) console.log(`Postgres ${version}  ${url}`);
  if (urls.mysql !== undefined) console.log(`MySQL        ${urls.mysql}`);
  if (urls.mariadb !== undefined) console.log(`MariaDB      ${urls.mariadb}`);
  if (urls.kafka !== undefined) console.log(`Kafka        ${urls.kafka.join(',')}`);
  if (urls.registry !== undefined) console.log(`Registry     ${urls.registry}`);
  console.log('');
  for (const [name, value] of Object.entries(stackEnvironment(urls))) console.log(`export ${name}='${value}'`);
}

function usage(problem: string): never {
  process.stderr.write(`${problem}\n\n${USAGE}`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        postgres: { type: 'string', default: '17' },
        mysql: { type: 'string', default: DEFAULT_MYSQL },
        mariadb: { type: 'string', default: DEFAULT_MARIADB },
        brokers: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

const { values, positionals } = parse();
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const versions = values.postgres.split(',').map(Number);
const unknown = versions.find((version) => !POSTGRES_VERSIONS.includes(version));
if (unknown !== undefined) usage(`there is no Postgres ${unknown} here`);
const { mysql, mariadb } = values;
if (!MYSQL_VERSIONS.includes(mysql)) usage(`there is no MySQL ${mysql} here`);
if (!MARIADB_VERSIONS.includes(mariadb)) usage(`there is no MariaDB ${mariadb} here`);
if (values.brokers !== '1' && values.brokers !== '3') usage('--brokers is 1 or 3');
const brokers = values.brokers === '1' ? 1 : 3;
const commands: Readonly<Record<string, () => Promise<number>>> = {
  up: () => up({ postgres: versions, mysql, mariadb, brokers }, values.json),
  down: () => down(values.json),
  status: () => status(values.json),
};
const command = commands[positionals[0] ?? ''];
if (command === undefined || positionals.length !== 1) usage('say up, down or status');
try {
  process.exitCode = await command();
} catch (error) {
  reportToStderr((error as Error).message);
  process.exitCode = 1;
}
