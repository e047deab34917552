import { isDeepStrictEqual } from 'node:util';
import { AvroDecoder } from './avro-decoder.ts';
import type { MysqlDatabase } from './mysql-database.ts';
import { MysqlOracleDecoder, type MysqlOracleRecord, type MysqlRow, rowOfTable } from './mysql-oracle-record.ts';
import { MYSQL_WORKLOAD_TABLES } from './mysql-workload.ts';
import type { Verdict } from './oracle.ts';
import { PartitionReplay } from './oracle-replay.ts';
import { checkTransactions, type TransactionCounts } from './oracle-transactions.ts';
import { readTopics } from './topic-reader.ts';

const MAX_PROBLEMS = 40;

/** What a consumer knows of a key. */
interface Folded {
  version: number;
  /** Null while the key is deleted. */
  row: MysqlRow | null;
}

/**
 * Reads every topic of the workload as a consumer would: what is left must be the tables, value for value, each key's
 * versions must come without a gap, and what is repeated must be whole transactions, byte for byte.
 */
export async function verifyMysqlWorkload(
  database: MysqlDatabase,
  prefix: string,
  trace?: (line: string) => void,
): Promise<Verdict> {
  const problems: string[] = [];
  let dropped = 0;
  const report = (text: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(text);
    else dropped += 1;
  };
  const decoder = new MysqlOracleDecoder(new AvroDecoder());
  const partitions: PartitionReplay[] = [];
  const transactions: TransactionCounts = new Map();
  let records = 0;
  let bytes = 0;
  for (const table of MYSQL_WORKLOAD_TABLES) {
    const folds = new Map<string, Folded>();
    const replays = new Map<number, PartitionReplay>();
    for (const raw of await readTopics([`${prefix}.${database.name}.${table}`])) {
      const record = await decoder.decode(raw);
      records += 1;
      bytes += record.bytes;
      const replay = replays.get(raw.partition) ?? new PartitionReplay(`${table}/${raw.partition}`, report);
      replays.set(raw.partition, replay);
      const isNew = replay.accept(record);
      trace?.(`${table}/${raw.partition}@${record.offset} ${isNew ? 'new' : 'repeated'} ${record.identity}`);
      if (!isNew) continue;
      fold(folds, record, (what) => report(`${table}/${raw.partition}@${record.offset}: ${record.op} of key ${what}`));
      if (record.order !== null) {
        const orders = transactions.get(record.order.id) ?? new Set();
        transactions.set(record.order.id, orders.add(record.order.total));
      }
    }
    partitions.push(...replays.values());
    await compare(database, table, folds, report);
  }
  const ledger = await countLedger(database, prefix, decoder, transactions);
  await checkTransactions(`${prefix}.transaction`, transactions, report);
  if (dropped > 0) problems.push(`… and ${dropped} more`);
  return {
    problems,
    records: records + ledger,
    duplicates: partitions.reduce((sum, { duplicates }) => sum + duplicates, 0),
    replays: partitions.reduce((sum, { replays }) => sum + replays, 0),
    bytes,
    changes: records,
  };
}

function fold(folds: Map<string, Folded>, record: MysqlOracleRecord, report: (what: string) => void): void {
  const { op, id, before, after } = record;
  if (op === 'tombstone') return;
  const folded = folds.get(id) ?? { version: 0, row: null };
  folds.set(id, folded);
  if (op !== 'c' && folded.row === null) report(`${id}, which is not there`);
  if (op === 'c' && folded.row !== null) report(`${id}, which is there`);
  if (before !== null && folded.row !== null && !isDeepStrictEqual(before.get('v'), folded.row.get('v'))) {
    report(`${id} has an old row of version ${before.get('v')}, not ${folded.row.get('v')}`);
  }
  if (after !== null) {
    const version = Number(after.get('v'));
    if (version !== folded.version + 1) report(`${id} has version ${version} after ${folded.version}`);
    folded.version = version;
  }
  folded.row = op === 'd' ? null : after;
}

async function compare(
  database: MysqlDatabase,
  table: string,
  folds: ReadonlyMap<string, Folded>,
  report: (text: string) => void,
): Promise<void> {
  const stored = new Map(
    (await database.query<Record<string, unknown>>('SELECT * FROM ??', [table])).map((row) => [
      String(row.id),
      rowOfTable(row),
    ]),
  );
  for (const [id, row] of stored) {
    const folded = folds.get(id)?.row ?? null;
    if (folded === null) report(`${table}: the row ${id} is not in the topic`);
    else if (!isDeepStrictEqual(folded, row)) {
      const columns = [...new Set([...row.keys(), ...folded.keys()])];
      const different = columns.filter((column) => !isDeepStrictEqual(row.get(column), folded.get(column)));
      report(`${table}: row ${id} differs in ${different.join(', ') || 'the order of its columns'}`);
    }
  }
  for (const [id, { row }] of folds) {
    if (row !== null && !stored.has(id)) report(`${table}: the topic has a row ${id}, the table has not`);
  }
}

/** The ledger is changed in the same transactions: its events count too. */
async function countLedger(
  database: MysqlDatabase,
  prefix: string,
  decoder: MysqlOracleDecoder,
  transactions: TransactionCounts,
): Promise<number> {
  const records = await readTopics([`${prefix}.${database.name}.ledger`]);
  for (const raw of records) {
    const { order } = await decoder.decode(raw);
    if (order !== null) transactions.set(order.id, (transactions.get(order.id) ?? new Set()).add(order.total));
  }
  return records.length;
}
