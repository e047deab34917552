import { CommandProcess } from '../support/command-process.ts';
import { Daemon } from '../support/daemon-process.ts';
import { SIGNAL_TABLE } from '../support/debezium-settings.ts';
import { deleteKafkaTopics, deleteTopicsNamed, topicEnd } from '../support/kafka-topics.ts';
import { loadedTable } from '../support/loaded-table.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { writeTo } from '../support/table-writes.ts';
import { uniqueName } from '../support/unique-name.ts';
import { SeededRandom } from '../support/workload-random.ts';
import { DebeziumBeside, type DebeziumVerdict } from './debezium-beside.ts';
import { repeatedReads } from './repeated-reads.ts';
import { synchronousStandby } from './synchronous-standby.ts';

export interface SnapshotChaosOptions {
  readonly database: 'postgres' | MysqlServer;
  readonly rows: number;
  /** How often the daemon is killed while the snapshot is under way. */
  readonly kills: number;
  readonly seed: number;
  readonly checkpoint: 'kafka' | 'file';
  /** Whether Debezium does the same beside it. */
  readonly debezium: boolean;
  /** Whether commits wait for a standby; Postgres only. */
  readonly synchronous: boolean;
  readonly progress: (line: string) => void;
}

export interface SnapshotChaosResult {
  readonly changes: number;
  readonly changesPerSecond: number;
  /** From the first start to the end of the snapshot. */
  readonly seconds: number;
  /** Rows that were read once more: before any kill, then after each. */
  readonly repeated: readonly number[];
  readonly problems: readonly string[];
  /** Null where it did not run. */
  readonly debezium: DebeziumVerdict | null;
}

/** The most rows of a round: two readers, each with a chunk. */
const CHUNK_ROWS = 10_000;
const PARALLELISM = 2;
const ROUND_ROWS = CHUNK_ROWS * PARALLELISM;
const LEAST_CHANGES_PER_SECOND = 500;
const CHANGES_PER_SECOND = 1_000;
const SNAPSHOT_MS = 1_200_000;
const VERIFY_MS = 1_200_000;

/**
 * Kills the daemon with SIGKILL while it snapshots a table that is written to; compares the topic with the table, under load
 * and at rest, and counts what was read more than once.
 */
export async function runSnapshotChaos(options: SnapshotChaosOptions): Promise<SnapshotChaosResult> {
  const { database, rows, kills, progress } = options;
  const name = uniqueName('snapchaos');
  const random = new SeededRandom(options.seed);
  await using _standby = options.synchronous ? await synchronousStandby() : null;
  progress(`loading ${rows} rows`);
  await using table = await loadedTable(database, rows, options.debezium ? [SIGNAL_TABLE] : []);
  await using debezium = options.debezium ? await DebeziumBeside.start(database, table) : null;
  const topic = `${name}.${table.schema}.rows`;
  const checkpointTopic = `${name}_checkpoints`;
  const checkpoint = options.checkpoint === 'kafka' ? { store: 'kafka', topic: checkpointTopic } : null;
  const snapshot = { mode: 'initial', chunk_rows: CHUNK_ROWS, parallelism: PARALLELISM };
  await using daemon = await Daemon.create({
    sources: [{ ...table.source(name), tables: { include: [`${table.schema}\\.rows`] }, snapshot }],
    config: {
      kafka: { brokers: kafkaBrokers(), topics: [{ match: '.*', partitions: 1 }] },
      ...(checkpoint === null ? {} : { checkpoint }),
    },
  });
  const stop = new AbortController();
  const load = { rows, random: random.fork(), changesPerSecond: CHANGES_PER_SECOND, stop: stop.signal };
  const startedAt = performance.now();
  const writing = writeTo(table, load);
  // Told when it is awaited.
  writing.catch(() => stop.abort());
  try {
    await debezium?.snapshot();
    daemon.start();
    const killedAt: number[] = [];
    for (let kill = 1; kill <= kills; kill++) {
      const at = 1 + Math.floor((rows * (kill - 1 + random.next())) / (kills + 1));
      const hasRead = async () => (await readRows(daemon, name)) >= at;
      await daemon.until(`the snapshot has read ${at} rows`, hasRead, SNAPSHOT_MS);
      await daemon.kill();
      killedAt.push(await topicEnd(topic));
      progress(`killed ${kill} of ${kills} times, at ${at} rows`);
      daemon.start();
    }
    const isComplete = async () => (await daemon.status(name)).snapshot?.state === 'completed';
    await daemon.until('the snapshot is complete', isComplete, SNAPSHOT_MS);
    const seconds = (performance.now() - startedAt) / 1000;
    progress(`complete after ${Math.round(seconds)} s; comparing while the load goes on`);
    const problems = await verify(daemon, name, 'under load');
    const debeziumSeconds = await debezium?.completed(rows, kills);
    stop.abort();
    const changes = await writing;
    const changesPerSecond = changes / ((performance.now() - startedAt) / 1000);
    if (changesPerSecond < LEAST_CHANGES_PER_SECOND) {
      problems.push(`the load was no more than ${Math.round(changesPerSecond)} changes/s`);
    }
    progress('comparing at rest');
    problems.push(...(await verify(daemon, name, 'at rest')));
    await daemon.stop();
    progress('counting what was read more than once');
    const repeated = await repeatedReads(topic, Math.floor(rows * 1.05) + 1, killedAt);
    problems.push(...judge(repeated));
    if (debezium !== null) progress('comparing what Debezium has published');
    const beside = (await debezium?.judge(debeziumSeconds!)) ?? null;
    return { changes, changesPerSecond, seconds, repeated, problems, debezium: beside };
  } catch (error) {
    progress(`the end of the daemon's log:\n${daemon.output.slice(-6_000)}`);
    throw error;
  } finally {
    stop.abort();
    await Promise.allSettled([writing]);
    await deleteKafkaTopics(name);
    await deleteTopicsNamed([checkpointTopic]);
  }
}

function judge([before = 0, ...afterKills]: readonly number[]): string[] {
  const problems = afterKills
    .map((count, index) => ({ count, kill: index + 1 }))
    .filter(({ count }) => count > ROUND_ROWS)
    .map(({ count, kill }) => `after kill ${kill} ${count} rows were read again, and a round has ${ROUND_ROWS}`);
  return before === 0 ? problems : [`${before} rows were read twice before any kill`, ...problems];
}

async function readRows(daemon: Daemon, name: string): Promise<number> {
  const { snapshot, state } = await daemon.status(name);
  if (state === 'failed' || state === 'resync-required') throw new Error(`the source is ${state}`);
  return snapshot?.tables.reduce((sum, table) => sum + table.rows, 0) ?? 0;
}

/** @returns what is to be said where the topic is not the table. */
async function verify(daemon: Daemon, name: string, when: string): Promise<string[]> {
  await using command = new CommandProcess(['verify', name, '-c', daemon.configPath]);
  const code = await command.ended(VERIFY_MS);
  if (code === 0) return [];
  return [`verify ${when} ended with ${code}: ${`${command.stdout}${command.stderr}`.slice(0, 4_000)}`];
}
