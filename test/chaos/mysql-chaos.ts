import { Daemon } from '../support/daemon-process.ts';
import { awaitTopicEnds, deleteKafkaTopics, deleteTopicsNamed } from '../support/kafka-topics.ts';
import { createMysqlDatabase, type MysqlDatabase, type MysqlServer, mysqlSource } from '../support/mysql-database.ts';
import { verifyMysqlWorkload } from '../support/mysql-oracle.ts';
import { MYSQL_WORKLOAD_SCHEMA, MysqlWorkload } from '../support/mysql-workload.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
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

/** As `runPostgresChaos`, against MySQL or MariaDB. */
export async function runMysqlChaos(server: MysqlServer, options: ChaosOptions): Promise<ChaosResult> {
  const name = uniqueName('chaos');
  const random = new SeededRandom(options.seed);
  const progress = options.progress ?? (() => undefined);
  const { restarted = [] } = options;
  const restarts =
    restarted.length === 0 ? null : new Restarts(restarted, new SeededRandom(options.seed + 1), progress);
  const checkpointTopic = `${name}_checkpoints`;
  await using database = await createMysqlDatabase(server, MYSQL_WORKLOAD_SCHEMA);
  await using workload = new MysqlWorkload(database, random.int(0, 0xffff_ffff), {
    xa: restarts === null,
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
    await database.query('CREATE TABLE done (id int PRIMARY KEY)');
    await database.query('INSERT INTO done VALUES (1)');
    await awaitTopicEnds(new Map([[`${name}.${database.name}.done`, 1]]), CATCH_UP_MS);
    throwIfGivenUp(daemon);
    const exitCode = await daemon.stop();
    progress('reading the topics');
    const verdict = await verifyMysqlWorkload(database, name, options.trace);
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

function configuration(name: string, database: MysqlDatabase, checkpointTopic: string, options: ChaosOptions) {
  return {
    sources: [mysqlSource(name, database, { transaction_metadata: options.transactionMetadata })],
    config: {
      kafka: {
        brokers: kafkaBrokers(),
        topics: [
          { match: `.*\\.${database.name}\\..*`, partitions: 3 },
          { match: '.*', partitions: 1 },
        ],
      },
      ...(options.checkpoint === 'kafka'
        ? { checkpoint: { store: 'kafka', topic: checkpointTopic, interval: '200ms' } }
        : {}),
    },
  };
}
