import assert from 'node:assert/strict';
import { decode, type Fields, type PlainRecord, type ReceivedRecord } from './golden-comparison.ts';
import type { GoldenTopic } from './golden-topics.ts';

interface Boundary extends Fields {
  readonly status: 'BEGIN' | 'END';
  readonly id: string;
  readonly event_count: bigint | null;
  readonly data_collections: readonly Collection[] | null;
}

interface Collection {
  readonly data_collection: string;
  readonly event_count: bigint;
}

/** BEGIN and END against Debezium's, without those of transactions that its incremental snapshot made. */
export function compareTransactions(
  expected: readonly PlainRecord[],
  ours: readonly ReceivedRecord[],
  snapshotTransactions: ReadonlySet<string>,
): void {
  const wanted = expected.filter(({ key }) => !snapshotTransactions.has(transactionNumber(key!.id)));
  const got = ours.map((record) => decode(record.value, record.valueSchema) as Boundary);
  assert.deepEqual(
    got.map(summary),
    wanted.map(({ value }) => summary(value as Boundary)),
  );
  ours.forEach((record, i) => {
    assert.equal(record.keySchema, wanted[i]!.keySchema);
    assert.equal(record.valueSchema, wanted[i]!.valueSchema);
    assert.deepEqual(record.headers, wanted[i]!.headers);
    assert.equal(decode(record.key, record.keySchema)!.id, got[i]!.id, 'the key is the id');
  });
  got.forEach(({ status, id }, i) => {
    assert.match(id, /^\d+:\d+$/);
    if (status === 'END') assert.equal(got[i - 1]!.id, id, 'END has the id of BEGIN');
  });
}

/** Every row carries the id of its transaction's BEGIN, and the orders count it through. */
export function compareRowsWithTransactions(
  boundaries: readonly ReceivedRecord[],
  rows: readonly ReceivedRecord[],
): void {
  const ends = boundaries
    .map((record) => decode(record.value, record.valueSchema) as Boundary)
    .filter(({ status }) => status === 'END');
  const counts = new Map(ends.map((end) => [end.id, Number(end.event_count)]));
  const orders = new Map<string, number[]>();
  for (const record of rows) {
    const value = decode(record.value, record.valueSchema);
    const transaction = value?.transaction as { id: string; total_order: bigint } | null | undefined;
    if (!value || !transaction) continue;
    const source = value.source as { txId: bigint; lsn: bigint };
    const [txId, commitLsn] = transaction.id.split(':').map(BigInt);
    assert.equal(txId, source.txId);
    // A logical message has the place where it ends, which is where the commit begins.
    assert.ok(commitLsn! >= source.lsn, 'a transaction commits after its rows');
    orders.set(transaction.id, [...(orders.get(transaction.id) ?? []), Number(transaction.total_order)]);
  }
  assert.equal(orders.size, counts.size);
  for (const [id, seen] of orders) {
    const count = counts.get(id);
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: count ?? 0 }, (_, i) => i + 1),
      `transaction ${id}`,
    );
  }
}

/** What is left when transactions without events are taken out: BEGIN is followed by its END. */
export function withoutEmpty(records: readonly ReceivedRecord[]): ReceivedRecord[] {
  const counts = records.map((record) => (decode(record.value, record.valueSchema) as Boundary).event_count);
  return records.filter((_, i) => counts[i] !== 0n && !(counts[i] === null && counts[i + 1] === 0n));
}

/** Numbers of the transactions in which an incremental snapshot opened and closed its windows. */
export function snapshotTransactions(signals: GoldenTopic | undefined): ReadonlySet<string> {
  const numbers = (signals?.records ?? [])
    .map(({ value, valueSchema }) => decode(value, valueSchema) as { source: Fields; after: Fields | null } | null)
    .filter((value) => String(value?.after?.type).startsWith('snapshot-window-'))
    .map((value) => String(value!.source.txId));
  return new Set(numbers);
}

function transactionNumber(id: unknown): string {
  return String(id).split(':')[0]!;
}

/** What must be the same, as a set where it is one. Debezium names the collection of a logical message by its object. */
function summary({ status, event_count, data_collections }: Boundary): string {
  const collections = data_collections
    ?.map(({ data_collection, event_count }) => {
      const name = data_collection.replace(/^io\.debezium\..*LogicalDecodingMessageId@[0-9a-f]+$/, 'message');
      return `${name}=${event_count}`;
    })
    .sort();
  return `${status} ${event_count} ${collections?.join(' ')}`;
}
