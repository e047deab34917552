import { setTimeout as pause } from 'node:timers/promises';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { type Verdict, verifyWorkload } from '../support/oracle.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { Workload } from '../support/workload.ts';
import { SeededRandom } from '../support/workload-random.ts';

export interface ChaosOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly checkpoint: 'kafka' | 'file';
  readonly transactionMetadata: boolean;
  /** Told what happens, a line at a time. */
  readonly progress?: (line: string) => void;
  /** Told every record that is read in the end, a line each. */
  readonly trace?: (line: string) => void;
}

export interface ChaosResult extends Verdict {
  readonly rounds: number;
  readonly transactions: number;
  readonly rollbacks: number;
  readonly schemaChanges: number;
  readonly killedWhileStarting: number;
  /** Exit code of the graceful stop at the end. */
  readonly exitCode: number | NodeJS.Signals;
}

const STARTS_KILLED_FIRST = 4;
/** Sometimes the log runs ahead for a while: then the catalog is schema changes later than the log. */
const LONGEST_ABSENCE_MS = 6_000;
const CATCH_UP_MS = 120_000;
const STREAMING_MS = 60_000;

/**
 * Kills the daemon with SIGKILL at random moments while it is written to, starts it again (mostly at once), lets it catch up
 * in the end, and judges what lies in the topics.
 */
export async function runPostgresChaos(options: ChaosOptions): Promise<ChaosResult> {
  const name = uniqueName('chaos');
  const random = new SeededRandom(options.seed);
  const progress = options.progress ?? (() => undefined);
  const checkpointTopic = `${name}_checkpoints`;
  await using database = await createPostgresDatabase({ prefix: 'chaos' });
  await using workload = await Workload.create({
    url: database.url,
    seed: random.int(0, 0xffff_ffff),
    publication: name,
    pauseMs: 12,
  });
  await using daemon = await Daemon.create(configuration(name, database, checkpointTopic, options));
  try {
    await killWhileInitialising(daemon, random);
    await daemon.start().streaming(STREAMING_MS);
    workload.start();
    let killedWhileStarting = 0;
    for (let round = 1; round <= options.rounds; round += 1) {
      const moment = await killSomewhere(daemon, random);
      if (moment.state !== 'streaming') killedWhileStarting += 1;
      workload.throwIfFailed();
      throwIfGivenUp(daemon);
      const awayMs = random.chance(0.1) ? random.int(500, LONGEST_ABSENCE_MS) : 0;
      const absence = awayMs === 0 ? '' : `, away for ${awayMs} ms`;
      progress(`round ${round}/${options.rounds}: killed while ${moment.state}, after ${moment.ms} ms${absence}`);
      await pause(awayMs);
      daemon.start();
    }
    await workload.stop();
    await daemon.streaming(STREAMING_MS);
    await workload.touchAll();
    progress('the load has ended; catching up');
    await catchUp(daemon, workload, database, name);
    const exitCode = await daemon.stop();
    progress('reading the topics');
    const verdict = await verifyWorkload(database, name, options.trace);
    const { transactions, rollbacks, schemaChanges } = workload;
    return {
      ...verdict,
      rounds: options.rounds,
      transactions,
      rollbacks,
      schemaChanges,
      killedWhileStarting,
      exitCode,
    };
  } catch (error) {
    progress(`the end of the daemon's log:\n${daemon.output.slice(-6_000)}`);
    throw error;
  } finally {
    await deleteKafkaTopics(name);
    await deleteTopicsNamed([checkpointTopic]);
  }
}

function configuration(name: string, database: PostgresDatabase, checkpointTopic: string, options: ChaosOptions) {
  return {
    sources: [
      {
        name,
        type: 'postgres',
        url: database.url,
        tables: { include: ['public\\..*'] },
        snapshot: { mode: 'no_data' },
        slot: { name, publication: name },
        // The oracle must see the truncates.
        skipped_operations: [],
        transaction_metadata: options.transactionMetadata,
      },
    ],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        // A truncate is ordered with the rows of its table only within one partition.
        topics: [
          { match: '.*\\.wiped', partitions: 1 },
          { match: '.*public.*', partitions: 3 },
          { match: '.*', partitions: 1 },
        ],
      },
      ...(options.checkpoint === 'kafka'
        ? { checkpoint: { store: 'kafka', topic: checkpointTopic, interval: '200ms' } }
        : {}),
    },
  };
}

/** Nothing is written yet: what happens before the slot exists is not captured, and that is no loss. */
async function killWhileInitialising(daemon: Daemon, random: SeededRandom): Promise<void> {
  for (let start = 0; start < STARTS_KILLED_FIRST; start += 1) {
    daemon.start();
    await pause(random.int(200, 1_300));
    await daemon.kill();
  }
}

/** The moment is chosen by the seed: soon after the start of the process, or some time after the stream is open. */
async function killSomewhere(daemon: Daemon, random: SeededRandom): Promise<{ state: string; ms: number }> {
  const early = random.chance(0.4);
  const ms = early ? random.int(50, 2_000) : random.int(0, 1_500);
  if (early) {
    const streamsBefore = countStreams(daemon);
    await pause(ms);
    const streams = countStreams(daemon) > streamsBefore;
    await daemon.kill();
    return { state: streams ? 'streaming' : 'starting', ms };
  }
  await daemon.streaming(STREAMING_MS);
  await pause(ms);
  await daemon.kill();
  return { state: 'streaming', ms };
}

function countStreams(daemon: Daemon): number {
  return daemon.output.split('the stream is open').length;
}

/** A state that only an operator can end is a failure here. */
function throwIfGivenUp(daemon: Daemon): void {
  const line = daemon.output.split('\n').find((each) => /"(to|next|state)":"(failed|resync-required)"/.test(each));
  if (line !== undefined) throw new Error(`the source gave up: ${line}`);
}

async function catchUp(daemon: Daemon, workload: Workload, database: PostgresDatabase, name: string): Promise<void> {
  await workload.writeMarker();
  const [row] = await database.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await awaitUntil(
    `the slot is confirmed up to ${row!.lsn}`,
    async () => {
      throwIfGivenUp(daemon);
      const [slot] = await database.query<{ done: boolean }>(
        'SELECT confirmed_flush_lsn >= $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
        [row!.lsn, name],
      );
      return slot?.done;
    },
    { timeoutMs: CATCH_UP_MS, intervalMs: 100 },
  );
}
