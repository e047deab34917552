import { AvroDecoder } from './avro-decoder.ts';
import { Fold } from './fold.ts';
import { OracleDecoder, type OracleRecord } from './oracle-record.ts';
import { PartitionReplay } from './oracle-replay.ts';
import { checkTransactions, type TransactionCounts } from './oracle-transactions.ts';
import type { PostgresDatabase } from './postgres-database.ts';
import { listTopics, type ReadRecord, readEachRecord } from './topic-reader.ts';

export interface Verdict {
  /** What must not be; empty when every promise was kept. At most `MAX_PROBLEMS`. */
  readonly problems: readonly string[];
  readonly records: number;
  readonly duplicates: number;
  /** How often a partition went back. */
  readonly replays: number;
  readonly bytes: number;
  /** Committed changes by the workload's own account. */
  readonly changes: number;
}

const MAX_PROBLEMS = 40;
/** Tables whose rows are never written again, so that a late schema change is not in their newest records. */
const UNTOUCHED = new Set(['events']);

/**
 * Reads every topic of the workload as a consumer would, and compares with the tables and with `workload.ledger`. Call it
 * once the load has ended and everything is in the topics. `trace` is told every record.
 */
export async function verifyWorkload(
  database: PostgresDatabase,
  topicPrefix: string,
  trace?: (line: string) => void,
): Promise<Verdict> {
  const problems: string[] = [];
  let dropped = 0;
  const report = (text: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(text);
    else dropped += 1;
  };
  const records = await readTopicRecords(`${topicPrefix}.public.`);
  const decoder = new OracleDecoder(new AvroDecoder());
  const partitions = new Map<string, PartitionReplay>();
  const folds = new Map<string, Fold>();
  const transactions: TransactionCounts = new Map();
  let bytes = 0;
  for (const raw of records) {
    const record = await decoder.decode(raw);
    bytes += record.bytes;
    const name = `${record.table}/${record.partition}`;
    const partition = partitions.get(name) ?? new PartitionReplay(name, report);
    partitions.set(name, partition);
    const isNew = partition.accept(record);
    trace?.(
      `${name}@${record.offset} ${isNew ? 'new' : 'repeated'} ${record.identity} after ${record.lastCommit}, schemas ${record.schemaIds}`,
    );
    if (!isNew) continue;
    const fold = folds.get(record.table) ?? new Fold(record.table, report);
    folds.set(record.table, fold);
    fold.apply(record);
    countTransaction(transactions, record);
  }
  const changes = await compareWithLedger(database, folds, report);
  await compareWithTables(database, folds, report);
  await checkTransactions(`${topicPrefix}.transaction`, transactions, report);
  if (dropped > 0) problems.push(`… and ${dropped} more`);
  const all = [...partitions.values()];
  return {
    problems,
    records: records.length,
    duplicates: all.reduce((sum, { duplicates }) => sum + duplicates, 0),
    replays: all.reduce((sum, { replays }) => sum + replays, 0),
    bytes,
    changes,
  };
}

async function readTopicRecords(prefix: string): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  await readEachRecord(await listTopics(prefix), (record) => records.push(record));
  return records;
}

function countTransaction(transactions: TransactionCounts, { order }: OracleRecord): void {
  if (order === null) return;
  const orders = transactions.get(order.id) ?? new Set();
  orders.add(order.total);
  transactions.set(order.id, orders);
}

/** The ledger knows how many versions each key has had, and whether it is there. */
async function compareWithLedger(
  database: PostgresDatabase,
  folds: ReadonlyMap<string, Fold>,
  report: (text: string) => void,
): Promise<number> {
  const rows = await database.query<{ tab: string; k: number; v: string; live: boolean }>(
    'SELECT tab, k, v, live FROM workload.ledger WHERE v > 0',
  );
  let changes = 0;
  for (const { tab, k, v, live } of rows) {
    changes += Number(v);
    const folded = folds.get(tab)?.keys.get(k);
    if (folded?.version !== BigInt(v)) {
      report(`${tab}: key ${k} ends at version ${folded?.version ?? 0}, the table is at ${v}`);
    } else if ((folded.row !== null) !== live) {
      report(`${tab}: key ${k} is ${live ? 'missing' : 'still there'}`);
    }
  }
  return changes;
}

/** Value for value, every row of every table. */
async function compareWithTables(
  database: PostgresDatabase,
  folds: ReadonlyMap<string, Fold>,
  report: (text: string) => void,
): Promise<void> {
  for (const fold of folds.values()) {
    const columns = await database.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
      [`public.${fold.table}`],
    );
    const list = columns.map(({ name }) => `${comparableText(name)} AS "${name}"`).join(', ');
    const key = fold.table === 'lines' ? `substr(b, 2)::int * 40 + a` : 'id';
    const rows = await database.query<Record<string, string | null>>(
      `SELECT ${list}, (${key})::text AS "the key" FROM public.${fold.table}`,
    );
    const live = new Map([...fold.keys].filter(([, { row }]) => row !== null));
    for (const { 'the key': keyText, ...row } of rows) {
      const folded = live.get(Number(keyText));
      live.delete(Number(keyText));
      if (folded === undefined) {
        report(`${fold.table}: the row ${keyText} is not in the topic`);
        continue;
      }
      for (const [column, value] of Object.entries(row)) {
        const found = folded.row!.get(column);
        if (found === value || (found === undefined && UNTOUCHED.has(fold.table))) continue;
        report(`${fold.table}: row ${keyText} differs in ${column}${found === undefined ? ', which is missing' : ''}`);
      }
      if (!UNTOUCHED.has(fold.table) && folded.row!.size !== columns.length) {
        report(`${fold.table}: row ${keyText} has ${folded.row!.size} columns, not ${columns.length}`);
      }
    }
    for (const extra of live.keys()) report(`${fold.table}: the topic has a row ${extra}, the table has not`);
  }
}

/** The form of `expectedValue`. */
function comparableText(column: string): string {
  if (column.startsWith('n_')) return `trim_scale(${column})::text`;
  if (column.startsWith('z_')) return `(extract(epoch FROM ${column}) * 1000000)::bigint::text`;
  return `"${column}"::text`;
}
