import type { TransactionBegin } from '../../src/core/change-batch.ts';
import type { Gtid } from './protocol/gtid.ts';

/**
 * A transaction of the log, or a statement outside of transactions: what its source blocks have in common, and what is
 * told with its begin. Of small transactions there are as many as rows: it holds no text of its own.
 */
export class TransactionContext implements TransactionBegin {
  readonly gtid: Gtid | null;
  readonly serverId: number;
  /** The binlog file that has it. */
  readonly file: string;
  /** Where it begins in its file. */
  readonly #position: number;
  readonly commitTimeUs: number;
  /** Connection that ran it; null where the log does not say (MariaDB). */
  thread: number | null = null;

  constructor(gtid: Gtid | null, serverId: number, file: string, position: number, commitTimeUs: number) {
    this.gtid = gtid;
    this.serverId = serverId;
    this.file = file;
    this.#position = position;
    this.commitTimeUs = commitTimeUs;
  }

  /** Debezium's transaction id: the GTID, or `file=…,pos=…` where there is none. */
  get id(): string {
    return this.gtid?.text ?? `file=${this.file},pos=${this.#position}`;
  }
}
