import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { copyOut } from './copy-out.ts';
import { load, TABLE_SQL } from './postgres-rows.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

export interface SnapshotBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
}

const COMPRESSIONS = ['none', 'zstd'];

/** Snapshots of the same table: nothing but COPY, and the daemon to Kafka without and with compression. */
export async function benchSnapshot({ rows, main }: SnapshotBenchOptions): Promise<Figure[]> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: TABLE_SQL });
  await load(database, rows, rows);
  await database.query('VACUUM ANALYZE rows');
  const { seconds } = await copyOut(database.url, 'COPY rows TO STDOUT');
  const figures: Figure[] = [{ what: 'COPY TO STDOUT to nothing', rows, seconds, cpuMicrosPerRow: 0 }];
  for (const compression of COMPRESSIONS) figures.push(await snapshot(database, rows, compression, main));
  return figures;
}

async function snapshot(database: PostgresDatabase, rows: number, compression: string, main: string): Promise<Figure> {
  const name = uniqueName('bench');
  const source = {
    name,
    type: 'postgres',
    url: database.url,
    tables: { include: ['public\\.rows'] },
    snapshot: { mode: 'initial' },
  };
  await using daemon = await Daemon.create({
    main,
    config: { kafka: { brokers: kafkaBrokers(), compression } },
    sources: [source],
  });
  try {
    const startedAt = performance.now();
    await daemon.start().streaming();
    const readyMs = performance.now() - startedAt;
    const cpuAtStart = cpuSeconds(daemon.pid);
    const streamingAt = performance.now();
    await awaitUntil(
      'the snapshot is complete',
      async () => (await daemon.status(name)).snapshot?.state === 'completed',
      {
        timeoutMs: 600_000,
        intervalMs: 50,
      },
    );
    const seconds = (performance.now() - streamingAt) / 1000;
    const cpu = cpuSeconds(daemon.pid) - cpuAtStart;
    const peak = peakRssMiB(daemon.pid);
    await daemon.stop();
    const what = `tailrace, snapshot, ${compression}`;
    return { what, rows, seconds, cpuMicrosPerRow: (cpu / rows) * 1e6, peakRssMiB: peak, readyMs };
  } finally {
    await deleteKafkaTopics(name);
  }
}
