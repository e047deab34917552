import type { LogBatch, LogRecord } from './log-batches.ts';
import type { AbortedTransaction } from './protocol/fetch.ts';

const ABORT = 0;

/**
 * Leaves out what belongs to aborted transactions, as every reader has to: brokers name those transactions and send their
 * records nevertheless. One per partition, given the answers of a reading in order.
 * @see https://kafka.apache.org/documentation/#design_transactionalreads
 */
export class CommittedRecords {
  /** Producers whose transaction that is being read was aborted. */
  readonly #aborting = new Set<bigint>();

  of(batches: readonly LogBatch[], aborted: readonly AbortedTransaction[]): LogRecord[] {
    const pending = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
    const records: LogRecord[] = [];
    for (const batch of batches) {
      while (pending[0] !== undefined && pending[0].firstOffset < batch.nextOffset) {
        this.#aborting.add(pending.shift()!.producerId);
      }
      if (batch.control) {
        if (isAbort(batch)) this.#aborting.delete(batch.producerId);
      } else if (!(batch.transactional && this.#aborting.has(batch.producerId))) {
        // Not by spreading: a batch may have more records than a call may have arguments.
        for (const record of batch.records) records.push(record);
      }
    }
    return records;
  }
}

/** Control records: version and type as 16-bit numbers in the key. */
function isAbort({ records }: LogBatch): boolean {
  const key = records[0]?.key;
  return key !== null && key !== undefined && key.length >= 4 && key.readInt16BE(2) === ABORT;
}
