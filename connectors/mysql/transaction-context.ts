/** What the source blocks of one transaction, or of one statement outside of transactions, have in common. */
export class TransactionContext {
  /** Debezium's transaction id: the GTID, or `file=…,pos=…` where there is none. */
  readonly id: string;
  readonly gtid: string | null;
  readonly serverId: number;
  /** The binlog file that has it. */
  readonly file: string;
  readonly commitTimeUs: number;
  /** Connection that ran it; null where the log does not say (MariaDB). */
  thread: number | null = null;

  constructor(gtid: string | null, serverId: number, file: string, position: number, commitTimeUs: number) {
    this.id = gtid ?? `file=${file},pos=${position}`;
    this.gtid = gtid;
    this.serverId = serverId;
    this.file = file;
    this.commitTimeUs = commitTimeUs;
  }
}
