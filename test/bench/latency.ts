import pg from 'pg';
import { AvroDecoder } from '../support/avro-decoder.ts';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { type Arrival, ArrivalReader } from './arrival-reader.ts';
import { lagOf } from './lag.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

const RATES = [500, 2_000];
const SECONDS = 20;
/** Until everything is compiled and connected nothing counts. */
const WARM_UP_SECONDS = 5;
const CONNECTIONS = 16;

/**
 * Transactions of one insert at a steady rate, whether or not the last one has returned. Measured is from the answer to the
 * commit to the record's arrival at a consumer that waits for it (kafkajs), both in this process.
 */
export async function benchLatency({ main }: { readonly main: string }): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const rate of RATES) figures.push(await measure(rate, main));
  return figures;
}

async function measure(rate: number, main: string): Promise<Figure> {
  await using database = await createPostgresDatabase({
    prefix: 'bench',
    sql: 'CREATE TABLE ticks (id bigint PRIMARY KEY, at timestamptz NOT NULL, what text NOT NULL)',
  });
  const name = uniqueName('bench');
  const source = { name, type: 'postgres', url: database.url, snapshot: { mode: 'no_data' } };
  await using daemon = await Daemon.create({
    main,
    checkpointInterval: null,
    config: { kafka: { brokers: kafkaBrokers() } },
    sources: [source],
  });
  try {
    await daemon.start().streaming();
    await database.query("INSERT INTO ticks VALUES (0, now(), 'makes the topic')");
    await awaitUntil('the topic is there', async () => (await daemon.status(name)).changes_total >= 1);
    await using reader = await ArrivalReader.open(`${name}.public.ticks`);
    const writer = await TickWriter.connect(database.url);
    await writer.run(rate, 0, WARM_UP_SECONDS);
    const cpuAtStart = cpuSeconds(daemon.pid);
    const first = writer.committedAtMs.length;
    await writer.run(rate, first, SECONDS);
    const cpu = cpuSeconds(daemon.pid) - cpuAtStart;
    const total = writer.committedAtMs.length;
    await writer.end();
    await awaitUntil('every change has arrived', () => reader.arrivals.length > total, { timeoutMs: 60_000 });
    const lag = lagOf(await elapsedOf(reader.arrivals, writer.committedAtMs, first));
    const peak = peakRssMiB(daemon.pid);
    await daemon.stop();
    const rows = total - first;
    return {
      what: `postgres: tailrace, ${rate.toLocaleString('en')} transactions/s`,
      rows,
      seconds: SECONDS,
      cpuMicrosPerRow: (cpu / rows) * 1e6,
      peakRssMiB: peak,
      lag,
    };
  } finally {
    await deleteKafkaTopics(name);
  }
}

/** Milliseconds, of the ticks from `first` on. */
async function elapsedOf(
  arrivals: readonly Arrival[],
  committedAtMs: readonly number[],
  first: number,
): Promise<readonly number[]> {
  const decoder = new AvroDecoder();
  const elapsed: number[] = [];
  for (const { key, atMs } of arrivals) {
    const tick = Number(((await decoder.decode(key)) as { id: bigint }).id) - 1;
    // The server sends the log before it answers the commit: a record may be here before the answer is.
    if (tick >= first) elapsed.push(Math.max(0, atMs - committedAtMs[tick]!));
  }
  return elapsed;
}

/** Commits at a steady rate over several connections. */
class TickWriter {
  /** By number of the tick, from 0 on; its id is one more. */
  readonly committedAtMs: number[] = [];
  readonly #clients: readonly pg.Client[];

  private constructor(clients: readonly pg.Client[]) {
    this.#clients = clients;
  }

  static async connect(url: string): Promise<TickWriter> {
    const clients = Array.from({ length: CONNECTIONS }, () => new pg.Client({ connectionString: url }));
    await Promise.all(clients.map((client) => client.connect()));
    return new TickWriter(clients);
  }

  /** Writes the ticks from `first` on for so many seconds. */
  async run(perSecond: number, first: number, seconds: number): Promise<void> {
    const startedAtMs = performance.now();
    const total = Math.round(perSecond * seconds);
    const pending: Promise<void>[] = [];
    await new Promise<void>((resolve) => {
      const turn = () => {
        const due = Math.min(total, Math.floor(((performance.now() - startedAtMs) / 1000) * perSecond));
        while (pending.length < due) pending.push(this.#commit(first + pending.length));
        if (pending.length < total) setTimeout(turn, 1);
        else resolve();
      };
      turn();
    });
    await Promise.all(pending);
  }

  async #commit(tick: number): Promise<void> {
    const client = this.#clients[tick % this.#clients.length]!;
    await client.query({ name: 'tick', text: 'INSERT INTO ticks VALUES ($1, now(), $2)', values: [tick + 1, 'tick'] });
    this.committedAtMs[tick] = performance.now();
  }

  async end(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
  }
}
