import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { load as loadMysql, TABLE_SQL as MYSQL_TABLE } from '../bench/mysql-rows.ts';
import { load as loadPostgres, TABLE_SQL as POSTGRES_TABLE } from '../bench/postgres-rows.ts';
import { CommandProcess } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlServer, mysqlSource } from '../support/mysql-database.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { testSource } from '../support/test-source.ts';
import { uniqueName } from '../support/unique-name.ts';
import { SeededRandom } from '../support/workload-random.ts';

export interface SnapshotChaosOptions {
  readonly database: 'postgres' | MysqlServer;
  readonly rows: number;
  /** How often the daemon is killed while the snapshot is under way. */
  readonly kills: number;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

export interface SnapshotChaosResult {
  readonly changes: number;
  readonly changesPerSecond: number;
  /** From the first start to the end of the snapshot. */
  readonly seconds: number;
  /** Exit code of `verify`, and what it said. */
  readonly verify: number | NodeJS.Signals;
  readonly report: string;
}

/** A table under load; `run` is one statement. */
interface LoadedTable extends AsyncDisposable {
  readonly source: Record<string, unknown>;
  run(sql: string): Promise<void>;
}

const MAX_CHANGES_PER_SECOND = 1_000;
const SNAPSHOT_MS = 1_200_000;
const VERIFY_MS = 1_200_000;

/** Kills the daemon with SIGKILL while it snapshots a table that is written to, and compares the topic with the table. */
export async function runSnapshotChaos(options: SnapshotChaosOptions): Promise<SnapshotChaosResult> {
  const { database, rows, kills, progress } = options;
  const name = uniqueName('snapchaos');
  const random = new SeededRandom(options.seed);
  progress(`loading ${rows} rows`);
  await using table = database === 'postgres' ? await onPostgres(name, rows) : await onMysql(name, database, rows);
  await using daemon = await Daemon.create({ sources: [{ ...table.source, snapshot: { mode: 'initial' } }] });
  const stop = new AbortController();
  const writing = write(table, rows, random, stop.signal);
  const startedAt = performance.now();
  try {
    daemon.start();
    for (let kill = 1; kill <= kills; kill++) {
      const at = Math.floor((rows * (kill - 1 + random.int(0, 99) / 100)) / (kills + 1));
      await daemon.until(
        `the snapshot has read ${at} rows`,
        async () => (await readRows(daemon, name)) >= at,
        SNAPSHOT_MS,
      );
      await daemon.kill();
      progress(`killed ${kill} of ${kills} times, at ${at} rows`);
      daemon.start();
    }
    const isComplete = async () => (await daemon.status(name)).snapshot?.state === 'completed';
    await daemon.until('the snapshot is complete', isComplete, SNAPSHOT_MS);
    const seconds = (performance.now() - startedAt) / 1000;
    progress(`complete after ${Math.round(seconds)} s; comparing while the load goes on`);
    const during = await verify(daemon, name);
    stop.abort();
    const changes = await writing;
    const total = (performance.now() - startedAt) / 1000;
    progress(`under load: exit code ${during.code}; comparing again`);
    const after = await verify(daemon, name);
    await daemon.stop();
    const failed = during.code === 0 ? after : during;
    return { changes, changesPerSecond: changes / total, seconds, verify: failed.code, report: failed.report };
  } finally {
    stop.abort();
    await Promise.allSettled([writing]);
    await deleteKafkaTopics(name);
  }
}

async function readRows(daemon: Daemon, name: string): Promise<number> {
  const { snapshot, state } = await daemon.status(name);
  if (state === 'failed' || state === 'resync-required') throw new Error(`the source is ${state}`);
  return snapshot?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
}

async function verify(daemon: Daemon, name: string): Promise<{ code: number | NodeJS.Signals; report: string }> {
  await using command = new CommandProcess(['verify', name, '-c', daemon.configPath]);
  const code = await command.ended(VERIFY_MS);
  return { code, report: `${command.stdout}${command.stderr}`.slice(0, 4_000) };
}

/** Updates, deletes, inserts and changes of the key, one statement after the other. */
async function write(table: LoadedTable, rows: number, random: SeededRandom, stop: AbortSignal): Promise<number> {
  const key = () => random.int(1, Math.floor(rows * 1.05));
  const startedAt = performance.now();
  let changes = 0;
  while (!stop.aborted) {
    const verb = random.int(0, 99);
    if (verb < 55) await table.run(`UPDATE rows SET a = a + 1, d = ${changes} WHERE id = ${key()}`);
    else if (verb < 70) await table.run(`DELETE FROM rows WHERE id = ${key()}`);
    else if (verb < 90) await insert(table, key());
    else await move(table, key(), key());
    changes += 1;
    const aheadMs = (changes / MAX_CHANGES_PER_SECOND) * 1000 - (performance.now() - startedAt);
    if (aheadMs > 20) await pause(aheadMs);
  }
  return changes;
}

function insert(table: LoadedTable, key: number): Promise<void> {
  return table.run(
    `INSERT INTO rows (id, a, t) SELECT ${key}, 0, 'new' WHERE NOT EXISTS (SELECT 1 FROM rows WHERE id = ${key})`,
  );
}

async function move(table: LoadedTable, from: number, to: number): Promise<void> {
  await table.run(`DELETE FROM rows WHERE id = ${to}`);
  await table.run(`UPDATE rows SET id = ${to} WHERE id = ${from}`);
}

async function onPostgres(name: string, rows: number): Promise<LoadedTable> {
  const database = await createPostgresDatabase({ prefix: 'snapchaos', sql: POSTGRES_TABLE });
  await loadPostgres(database, rows, Math.min(rows, 100_000));
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return {
    source: testSource(name, database),
    run: async (sql) => void (await client.query(sql)),
    async [Symbol.asyncDispose]() {
      await client.end();
      await database.drop();
    },
  };
}

async function onMysql(name: string, server: MysqlServer, rows: number): Promise<LoadedTable> {
  const database = await createMysqlDatabase(server, [MYSQL_TABLE]);
  await loadMysql(database, rows, 1_000, false);
  await database.query('DROP TABLE numbers');
  return {
    source: mysqlSource(name, database),
    run: async (sql) => void (await database.query(sql.replaceAll('rows', '`rows`'))),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
