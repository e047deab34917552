import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitRecords, createKafkaTopics, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { type LoadedTable, loadedTable } from '../support/loaded-table.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { writeTo } from '../support/table-writes.ts';
import { uniqueName } from '../support/unique-name.ts';
import { SeededRandom } from '../support/workload-random.ts';
import { BEATS_SQL, measureLag } from './beats.ts';
import { copyOut } from './copy-out.ts';
import { debeziumSnapshot } from './debezium.ts';
import { LongestTransaction } from './longest-transaction.ts';
import { selectOut } from './mysql-select.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

export interface SnapshotBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
  /** Whether Debezium reads the same table, too. */
  readonly debezium: boolean;
}

interface Measured extends SnapshotBenchOptions {
  readonly database: 'postgres' | MysqlServer;
  readonly table: LoadedTable;
}

const COMPRESSIONS = ['none', 'zstd'];
const LIGHT_LOAD = 200;
const SNAPSHOT_MS = 600_000;

/** Snapshots of the same table: nothing but reading it, and the daemon to Kafka, also while the table is written to. */
export async function benchSnapshot(
  database: 'postgres' | MysqlServer,
  options: SnapshotBenchOptions,
): Promise<Figure[]> {
  const { rows } = options;
  await using table = await loadedTable(database, rows, [BEATS_SQL]);
  const measured = { ...options, database, table };
  const unloaded = async () => ({});
  // Thrown away: the JVM of a new broker has yet to compile what it does, at the cost of the first run.
  await snapshot(measured, 'warm-up', 'none', unloaded);
  const figures: Figure[] = [await ceiling(measured)];
  for (const compression of COMPRESSIONS) {
    const what = `${database}: tailrace, snapshot, ${compression}`;
    figures.push(await snapshot(measured, what, compression, unloaded));
  }
  if (options.debezium) figures.push(await debeziumSnapshot(database, table, rows));
  figures.push(await underLoad(measured));
  return figures;
}

async function ceiling({ database, table, rows }: Measured): Promise<Figure> {
  if (database === 'postgres') {
    const { seconds } = await copyOut(table.url, 'COPY rows TO STDOUT');
    return { what: 'postgres: COPY TO STDOUT to nothing', rows, seconds };
  }
  return { what: `${database}: mysql2 streaming to nothing`, rows, ...(await selectOut(table, rows)) };
}

/** The table is written to, and a beat goes through the stream every 50 ms. */
async function underLoad(measured: Measured): Promise<Figure> {
  const { database, table, rows } = measured;
  const what = `${database}: tailrace, snapshot under ${LIGHT_LOAD} changes/s, none`;
  return snapshot(measured, what, 'none', async (name, stop) => {
    const topic = `${name}.${table.schema}.beats`;
    const random = new SeededRandom(1);
    const writes = writeTo(table, { rows, random, changesPerSecond: LIGHT_LOAD, stop });
    const [lag] = await Promise.all([measureLag(table, topic, stop), writes]);
    return { lag };
  });
}

/** @param beside what goes on until the end of the snapshot. */
async function snapshot(
  { database, table, rows, main }: Measured,
  what: string,
  compression: string,
  beside: (name: string, stop: AbortSignal) => Promise<Partial<Figure>>,
): Promise<Figure> {
  const name = uniqueName('bench');
  await using daemon = await Daemon.create({
    main,
    config: { kafka: { brokers: kafkaBrokers(), compression } },
    checkpointInterval: null,
    sources: [table.source(name)],
  });
  const stop = new AbortController();
  try {
    await createKafkaTopics([{ topic: `${name}.${table.schema}.beats` }]);
    const startedAt = performance.now();
    await daemon.start().streaming();
    const readyMs = performance.now() - startedAt;
    const transactions = new LongestTransaction(database, table);
    const cpuAtStart = cpuSeconds(daemon.pid);
    const streamingAt = performance.now();
    const goingOn = beside(name, stop.signal);
    // Told when it is awaited.
    goingOn.catch(() => stop.abort());
    // Changes that come meanwhile are a thousandth of it.
    await awaitRecords(`${name}.${table.schema}.rows`, rows, SNAPSHOT_MS);
    const seconds = (performance.now() - streamingAt) / 1000;
    const cpu = cpuSeconds(daemon.pid) - cpuAtStart;
    await awaitUntil(
      'the snapshot is complete',
      async () => (await daemon.status(name)).snapshot?.state === 'completed',
      { timeoutMs: SNAPSHOT_MS },
    );
    const longestTransactionMs = await transactions.end();
    stop.abort();
    const more = await goingOn;
    const peak = peakRssMiB(daemon.pid);
    await daemon.stop();
    const cpuMicrosPerRow = (cpu / rows) * 1e6;
    return { what, rows, seconds, cpuMicrosPerRow, peakRssMiB: peak, readyMs, longestTransactionMs, ...more };
  } finally {
    stop.abort();
    await deleteKafkaTopics(name);
  }
}
