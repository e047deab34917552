import assert from 'node:assert/strict';
import { Daemon, type DaemonOptions } from './daemon-process.ts';
import { parseExposition } from './exposition.ts';
import { deleteKafkaTopics, deleteTopicsNamed } from './kafka-topics.ts';
import { type Verdict, verifyWorkload } from './oracle.ts';
import { createPostgresDatabase, type PostgresDatabase } from './postgres-database.ts';
import { kafkaBrokers } from './services.ts';
import { awaitConfirmed } from './slot-progress.ts';
import { testSource } from './test-source.ts';
import { uniqueName } from './unique-name.ts';
import { Workload } from './workload.ts';

export interface FaultedLoadOptions {
  /** Of the `kafka` section; brokers are those of the environment unless told. */
  readonly kafka?: Readonly<Record<string, unknown>>;
  readonly config?: DaemonOptions['config'];
  readonly environment?: DaemonOptions['environment'];
  readonly nodeArguments?: DaemonOptions['nodeArguments'];
  readonly store?: 'kafka' | 'file';
  /** Run in the database before anything else. */
  readonly sql?: string;
  /** More of the source, as written in YAML. */
  readonly source?: Readonly<Record<string, unknown>>;
  /** How long catching up may take in the end. */
  readonly catchUpMs?: number;
}

/** With a Kafka that has only just started as well. */
const START_MS = 120_000;

/** A daemon, the database that it tails, and what writes to it all the time. */
export class FaultedLoad {
  readonly name: string;
  readonly database: PostgresDatabase;
  readonly workload: Workload;
  readonly daemon: Daemon;
  readonly checkpointTopic: string;

  constructor(name: string, database: PostgresDatabase, workload: Workload, daemon: Daemon) {
    this.name = name;
    this.database = database;
    this.workload = workload;
    this.daemon = daemon;
    this.checkpointTopic = checkpointTopicOf(name);
  }

  topic(table: string): string {
    return `${this.name}.public.${table}`;
  }

  /** Waits until `count` more changes are published, or acknowledged by Kafka, while the load goes on. */
  async published(count: number, timeoutMs = 60_000): Promise<void> {
    const { daemon, workload, name } = this;
    const before = (await daemon.status(name)).changes_total;
    const enough = async () => (await daemon.status(name)).changes_total >= before + count;
    await daemon.until(`${count} more changes are published`, workload.whileWriting(enough), timeoutMs);
  }

  /** Value of a metric of this source. */
  async metric(metric: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const exposition = parseExposition(await (await this.daemon.get('/metrics')).text());
    return exposition.value(metric, { source: this.name, ...labels }) ?? 0;
  }
}

/**
 * Runs `fault` while rows are written and published, then lets the daemon catch up, stops it gracefully, and judges
 * what lies in the topics: nothing lost, nothing out of order.
 */
export async function underLoad(
  options: FaultedLoadOptions,
  fault: (load: FaultedLoad) => Promise<void>,
): Promise<Verdict> {
  const name = uniqueName('fault');
  const store = options.store ?? 'file';
  const checkpoint = { store, interval: '200ms', ...(store === 'kafka' ? { topic: checkpointTopicOf(name) } : {}) };
  await using database = await createPostgresDatabase({
    prefix: 'fault',
    ...(options.sql === undefined ? {} : { sql: options.sql }),
  });
  await using workload = await Workload.create({
    url: database.url,
    seed: Math.floor(Math.random() * 0x1_0000_0000),
    publication: name,
    writers: 2,
    pauseMs: 30,
    schemaChangeMs: 4_000,
  });
  await using daemon = await Daemon.create({
    sources: [testSource(name, database, { skipped_operations: [], ...options.source })],
    config: {
      kafka: { brokers: kafkaBrokers(), topics: [{ match: '.*', partitions: 1 }], ...options.kafka },
      ...(store === 'kafka' ? { checkpoint } : {}),
      ...options.config,
    },
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    ...(options.nodeArguments === undefined ? {} : { nodeArguments: options.nodeArguments }),
  });
  const load = new FaultedLoad(name, database, workload, daemon);
  try {
    await daemon.start().streaming(START_MS);
    workload.start();
    await load.published(100);
    await fault(load);
    await workload.stop();
    await workload.touchAll();
    await awaitConfirmed(database, name, options.catchUpMs ?? 120_000);
    assert.equal(await daemon.stop(), 0, daemon.output.slice(-2_000));
    const verdict = await verifyWorkload(database, name);
    assert.deepEqual(verdict.problems, [], daemon.output.slice(-6_000));
    await removeTopics(load);
    return verdict;
  } catch (error) {
    // A cluster that is down as the test left it is no news beside the reason.
    await removeTopics(load).catch(() => undefined);
    throw error;
  }
}

async function removeTopics(load: FaultedLoad): Promise<void> {
  await deleteKafkaTopics(load.name);
  await deleteTopicsNamed([load.checkpointTopic]);
}

function checkpointTopicOf(name: string): string {
  return `${name}_checkpoints`;
}
