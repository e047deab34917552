import { Daemon } from '../support/daemon-process.ts';
import { awaitRecords, countRecords, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { kafkaBrokers } from '../support/services.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

export interface Drain {
  readonly what: string;
  /** Of the source, and the prefix of its topics. */
  readonly name: string;
  readonly source: Readonly<Record<string, unknown>>;
  readonly rows: number;
  /** Compression of the record batches in Kafka. */
  readonly compression: string;
  /** `main.js` of the compiled package. */
  readonly main: string;
  /** Writes the rows; called while the daemon is stopped. */
  readonly load: () => Promise<void>;
}

/** Lets a daemon publish a backlog, and measures from the open stream to the last record in Kafka. */
export async function drain({ what, name, source, rows, compression, main, load }: Drain): Promise<Figure> {
  const config = { kafka: { brokers: kafkaBrokers(), compression } };
  await using daemon = await Daemon.create({
    main,
    config,
    checkpointInterval: null,
    sources: [source],
  });
  try {
    await (await daemon.start().streaming()).stop();
    await load();
    const before = await countRecords(name);
    const startedAt = performance.now();
    await daemon.start().streaming();
    const readyMs = performance.now() - startedAt;
    const cpuAtStart = cpuSeconds(daemon.pid);
    const streamingAt = performance.now();
    await awaitRecords(name, before + rows, 600_000);
    const seconds = (performance.now() - streamingAt) / 1000;
    const cpu = cpuSeconds(daemon.pid) - cpuAtStart;
    const peak = peakRssMiB(daemon.pid);
    await daemon.stop();
    return { what, rows, seconds, cpuMicrosPerRow: (cpu / rows) * 1e6, peakRssMiB: peak, readyMs };
  } finally {
    await deleteKafkaTopics(name);
  }
}
