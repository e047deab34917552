import { debeziumVersion } from '../../deploy/local/debezium.ts';
import { type ConnectorSettings, Debezium } from '../support/debezium.ts';
import { debeziumSettings, TUNED } from '../support/debezium-settings.ts';
import { awaitTopicEnds, deleteKafkaTopics } from '../support/kafka-topics.ts';
import type { LoadedTable } from '../support/loaded-table.ts';
import type { MysqlServer } from '../support/mysql-database.ts';
import { uniqueName } from '../support/unique-name.ts';
import { LongestTransaction } from './longest-transaction.ts';
import { cpuSeconds, peakRssMiB } from './process-usage.ts';
import type { Figure } from './report.ts';

const END_MS = 900_000;

type Database = 'postgres' | MysqlServer;

/** Debezium's initial snapshot of the table, from its first record to its last; tuned, as JSON without schemas. */
export async function debeziumSnapshot(database: Database, table: LoadedTable, rows: number): Promise<Figure> {
  const prefix = uniqueName('debezium');
  await using debezium = await Debezium.start(database, 'json');
  const settings = debeziumSettings(database, table, prefix, { ...TUNED, 'snapshot.mode': 'initial' });
  const transactions = new LongestTransaction(database, table);
  try {
    const what = `${database}: Debezium ${debeziumVersion(database)}, snapshot, JSON`;
    const begin = () => debezium.connect(prefix, settings);
    const figure = await untilPublished(debezium, `${prefix}.${table.schema}.rows`, rows, begin);
    return { what, rows, ...figure, longestTransactionMs: await transactions.end() };
  } finally {
    await transactions.end();
    await deleteKafkaTopics(prefix);
  }
}

/** Debezium's publishing of what was committed while its connector was stopped; tuned, as JSON without schemas. */
export async function debeziumDrain(
  database: Database,
  table: Pick<LoadedTable, 'schema' | 'url'>,
  { rows, label, load }: { readonly rows: number; readonly label: string; readonly load: () => Promise<void> },
): Promise<Figure> {
  const prefix = uniqueName('debezium');
  await using debezium = await Debezium.start(database, 'json');
  const settings: ConnectorSettings = { ...TUNED, 'snapshot.mode': 'no_data' };
  try {
    await debezium.connect(prefix, debeziumSettings(database, table, prefix, settings));
    await debezium.said(/Starting streaming|Keepalive thread is running/);
    await debezium.stop(prefix);
    await load();
    const topic = `${prefix}.${table.schema}.rows`;
    const figure = await untilPublished(debezium, topic, rows, () => debezium.resume(prefix));
    return { what: `Debezium ${debeziumVersion(database)}, ${label}, JSON`, rows, ...figure };
  } finally {
    await deleteKafkaTopics(prefix);
  }
}

async function untilPublished(
  debezium: Debezium,
  topic: string,
  rows: number,
  begin: () => Promise<void>,
): Promise<Pick<Figure, 'seconds' | 'cpuMicrosPerRow' | 'peakRssMiB'>> {
  const cpuAtStart = cpuSeconds(debezium.pid);
  await begin();
  await awaitTopicEnds(new Map([[topic, 1]]), END_MS);
  const firstAt = performance.now();
  await awaitTopicEnds(new Map([[topic, rows]]), END_MS);
  const seconds = (performance.now() - firstAt) / 1000;
  const cpu = cpuSeconds(debezium.pid) - cpuAtStart;
  return { seconds, cpuMicrosPerRow: (cpu / rows) * 1e6, peakRssMiB: peakRssMiB(debezium.pid) };
}
