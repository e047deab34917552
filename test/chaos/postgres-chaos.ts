import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { verifyWorkload } from '../support/oracle.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { Workload } from '../support/workload.ts';
import { SeededRandom } from '../support/workload-random.ts';
import {
  type ChaosOptions,
  type ChaosResult,
  killRounds,
  killWhileInitialising,
  STREAMING_MS,
  throwIfGivenUp,
} from './kill-rounds.ts';
import { Restarts } from './restarts.ts';

const CATCH_UP_MS = 120_000;

/**
 * Kills the daemon with SIGKILL at random moments while it is written to, starts it again (mostly at once), lets it catch up
 * in the end, and judges what lies in the topics.
 */
export async function runPostgresChaos(options: ChaosOptions): Promise<ChaosResult> {
  const name = uniqueName('chaos');
  const random = new SeededRandom(options.seed);
  const progress = options.progress ?? (() => undefined);
  const { restarted = [] } = options;
  const restarts =
    restarted.length === 0 ? null : new Restarts(restarted, new SeededRandom(options.seed + 1), progress);
  const checkpointTopic = `${name}_checkpoints`;
  await using database = await createPostgresDatabase({ prefix: 'chaos' });
  await using workload = await Workload.create({
    url: database.url,
    seed: random.int(0, 0xffff_ffff),
    publication: name,
    pauseMs: 12,
    survivesOutages: restarts !== null,
  });
  await using daemon = await Daemon.create(configuration(name, database, checkpointTopic, options));
  try {
    await killWhileInitialising(daemon, random);
    await daemon.start().streaming(STREAMING_MS);
    workload.start();
    const killedWhileStarting = await killRounds(daemon, workload, random, restarts, options);
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
      restarts: restarts?.made ?? new Map(),
      exitCode,
    };
  } catch (error) {
    progress(`the end of the daemon's log:\n${daemon.output.slice(-6_000)}`);
    throw error;
  } finally {
    await restarts?.settled();
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
