import { type Lsn, lsnDecimal } from './protocol/lsn.ts';

/** What the source blocks of one transaction have in common, or of one message outside of transactions. */
export class TransactionContext {
  /** Null outside of transactions. */
  readonly xid: number | null;
  readonly commitTimeUs: number;
  /** `["<last commit>","` or `[null,"`: what comes before a row's own LSN in `source.sequence`. */
  readonly sequencePrefix: Buffer;
  /** Where the transaction was first committed, if it was replicated to this server. */
  origin: string | null = null;
  originLsn: Lsn | null = null;

  constructor(xid: number | null, commitTimeUs: number, lastCommit: Lsn | null) {
    this.xid = xid;
    this.commitTimeUs = commitTimeUs;
    const previous = lastCommit === null ? 'null' : `"${lsnDecimal(lastCommit.high, lastCommit.low)}"`;
    this.sequencePrefix = Buffer.from(`[${previous},"`, 'latin1');
  }
}
