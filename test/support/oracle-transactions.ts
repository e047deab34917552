import { AvroDecoder } from './avro-decoder.ts';
import { readTopics } from './topic-reader.ts';

/** `total_order` of every event of each transaction, without repetitions. */
export type TransactionCounts = Map<string, Set<bigint>>;

interface Boundary {
  readonly status: string;
  readonly id: string;
  readonly event_count: bigint | null;
}

/**
 * Compares the BEGIN and END records with the events that were read: a transaction is whole in every copy, and every copy
 * counts the same. Without transaction metadata there is neither.
 */
export async function checkTransactions(
  topic: string,
  transactions: TransactionCounts,
  report: (text: string) => void,
): Promise<void> {
  const decoder = new AvroDecoder();
  const ends = new Map<string, Set<bigint>>();
  const begun = new Set<string>();
  for (const { value, offset } of await readTopics([topic])) {
    const boundary = (await decoder.decode(value)) as Boundary;
    if (boundary.status === 'BEGIN') {
      begun.add(boundary.id);
      continue;
    }
    if (!begun.has(boundary.id)) report(`${topic}@${offset}: END of ${boundary.id} without BEGIN`);
    const counts = ends.get(boundary.id) ?? new Set();
    ends.set(boundary.id, counts.add(BigInt(boundary.event_count ?? -1n)));
  }
  for (const [id, orders] of transactions) {
    const counts = ends.get(id);
    const count = BigInt(orders.size);
    if (counts === undefined) report(`${topic}: ${id} has events and no END`);
    else if (counts.size !== 1 || !counts.has(count)) {
      report(`${topic}: ${id} has ${count} events, its END records count ${[...counts].join(' and ')}`);
    }
    for (let order = 1n; order <= count; order += 1n) {
      if (!orders.has(order)) report(`${topic}: ${id} has no event ${order} of ${count}`);
    }
  }
}
