import type { SourceStatus } from '../../src/core/source-status.ts';
import { awaitUntil } from '../support/await-until.ts';
import { Daemon } from '../support/daemon-process.ts';
import { awaitRecords, countRecords, deleteKafkaTopics } from '../support/kafka-topics.ts';
import { createPostgresDatabase, type PostgresDatabase } from '../support/postgres-database.ts';
import { kafkaBrokers } from '../support/services.ts';
import { uniqueName } from '../support/unique-name.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

export interface ScaleBenchOptions {
  readonly rows: number;
  /** `main.js` of the compiled package. */
  readonly main: string;
}

const TABLES = 1_000;
const SOURCES = 20;
/** Rows that a transaction writes to one table before it goes to the next. */
const RUN_OF_ROWS = 20;
/** Runs that each table has had before anything is measured: a broker makes the index of a partition with its fifth kilobyte. */
const RUNS_BEFORE = 5;
const END_MS = 600_000;
const ROWS_PER_TRANSACTION = 1_000;

/**
 * The same backlog spread over one table and over a thousand, and over one source and twenty. What every table costs once
 * after a start, its schemas' ids and its topic, is not in the figures: they begin when the first run of rows of the last
 * table has come.
 */
export async function benchScale({ rows, main }: ScaleBenchOptions): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const tables of [1, TABLES]) figures.push(await drainTables(tables, 1, rows, main));
  for (const sources of [1, SOURCES]) figures.push(await drainTables(SOURCES, sources, rows, main));
  return figures;
}

/** Each source has as many of the tables as the others. */
async function drainTables(tables: number, sources: number, rows: number, main: string): Promise<Figure> {
  await using database = await createPostgresDatabase({ prefix: 'bench', sql: makeTables(tables) });
  const prefix = uniqueName('bench');
  const names = Array.from({ length: sources }, (_, number) => `${prefix}_${number}`);
  const settings = names.map((name, number) => ({
    name,
    type: 'postgres',
    url: database.url,
    tables: { include: [sources === 1 ? 'public\\.t.*' : `public\\.t${number}`] },
    snapshot: { mode: 'no_data' },
  }));
  const config = { kafka: { brokers: kafkaBrokers(), compression: 'none' } };
  await using daemon = await Daemon.create({
    main,
    config,
    checkpointInterval: null,
    sources: settings,
  });
  try {
    await daemon.start().streaming(120_000);
    await writeRows(database, tables, tables * RUN_OF_ROWS * RUNS_BEFORE);
    await published(daemon, tables * RUN_OF_ROWS * RUNS_BEFORE);
    await daemon.stop();
    await writeRows(database, tables, rows + tables * RUN_OF_ROWS);
    // A thousand topics are too many to look at; the tables take turns, so the last one tells how far a source has come.
    const counted = sources === 1 ? 1 : tables;
    const topics = sources === 1 ? `${prefix}_0.public.t${tables - 1}` : prefix;
    const before = await countRecords(topics);
    const startedAt = performance.now();
    await daemon.start().streaming(120_000);
    const readyMs = performance.now() - startedAt;
    await awaitRecords(topics, before + RUN_OF_ROWS * counted, END_MS);
    const beganAt = performance.now();
    const cpuAtStart = cpuSeconds(daemon.pid);
    await awaitRecords(topics, before + (RUN_OF_ROWS + rows / tables) * counted, END_MS);
    const seconds = (performance.now() - beganAt) / 1000;
    const cpu = cpuSeconds(daemon.pid) - cpuAtStart;
    await published(daemon, rows + tables * RUN_OF_ROWS);
    const peak = peakRssMiB(daemon.pid);
    await daemon.stop();
    const of = (count: number, what: string) => `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
    return {
      what: `tailrace, ${of(tables, 'table')}, ${of(sources, 'source')}`,
      rows,
      seconds,
      cpuMicrosPerRow: (cpu / rows) * 1e6,
      peakRssMiB: peak,
      readyMs,
    };
  } finally {
    await deleteKafkaTopics(prefix);
  }
}

function makeTables(count: number): string {
  return `DO $$ BEGIN FOR i IN 0 .. ${count - 1} LOOP
    EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, a int NOT NULL, t text, n numeric(12, 2), ts timestamptz)', i);
    END LOOP; END $$`;
}

/** Transactions of a thousand rows, which go round all tables. */
async function writeRows(database: PostgresDatabase, tables: number, rows: number): Promise<void> {
  await database.query(`CREATE OR REPLACE PROCEDURE write_rows(tables int, rows int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR i IN 0 .. rows / ${RUN_OF_ROWS} - 1 LOOP
        EXECUTE format($sql$INSERT INTO t%s (a, t, n, ts)
          SELECT g, 'text value ' || md5(g::text), g / 100.0, now() FROM generate_series(1, ${RUN_OF_ROWS}) g$sql$, i % tables);
        IF i % ${ROWS_PER_TRANSACTION / RUN_OF_ROWS} = ${ROWS_PER_TRANSACTION / RUN_OF_ROWS - 1} THEN COMMIT; END IF;
      END LOOP;
      COMMIT;
    END $$`);
  await database.query(`CALL write_rows(${tables}, ${rows})`);
}

/** Resolves when the sources together have published so many changes since the daemon started. */
async function published(daemon: Daemon, changes: number): Promise<void> {
  const all = async () => {
    const sources = (await (await daemon.get('/api/v1/sources')).json()) as readonly SourceStatus[];
    return sources.reduce((sum, { changes_total }) => sum + changes_total, 0) >= changes;
  };
  await awaitUntil(`${changes} changes were published`, all, { timeoutMs: END_MS, intervalMs: 500 });
}
