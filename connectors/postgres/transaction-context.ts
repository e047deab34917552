import type { TransactionBegin } from '../../src/core/change-batch.ts';
import { type Lsn, lsnDecimal } from './protocol/lsn.ts';

/**
 * A transaction of the log: what its source blocks have in common, and what is told with its begin. Also one message
 * outside of transactions. Of small transactions there are as many as rows: it holds no text.
 */
export class TransactionContext implements TransactionBegin {
  /** Null outside of transactions. */
  readonly xid: number | null;
  readonly commitTimeUs: number;
  /** End of the commit before it; null for the first that a stream sees. */
  readonly lastCommit: Lsn | null;
  /** Start of its commit record, or of the message. */
  readonly finalLsn: Lsn;
  /** Where the transaction was first committed, if it was replicated to this server. */
  origin: string | null = null;
  originLsn: Lsn | null = null;

  constructor(xid: number | null, commitTimeUs: number, lastCommit: Lsn | null, finalLsn: Lsn) {
    this.xid = xid;
    this.commitTimeUs = commitTimeUs;
    this.lastCommit = lastCommit;
    this.finalLsn = finalLsn;
  }

  get id(): string {
    return `${this.xid}:${lsnDecimal(this.finalLsn.high, this.finalLsn.low)}`;
  }
}
