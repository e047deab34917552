/**
 * A point between transactions from which the log can be read again. With GTIDs the set decides and file and position
 * only say where on this server it was; without them file and position are all there is.
 */
export interface MySqlPosition {
  /** Name of the binlog file; empty until the server names one. */
  readonly file: string;
  /** Bytes from the start of the file. */
  readonly pos: number;
  /** What was executed up to here: a MySQL GTID set or a MariaDB GTID position. Null where GTIDs are off. */
  readonly gtids: GtidProgress | null;
  /** Servers this source was followed on before this one: files of different servers do not compare. */
  readonly epoch: number;
}

/** GTIDs executed, immutable; advancing costs the same however long the history is. */
export interface GtidProgress {
  /** What is executed once this one is too; executing it twice changes nothing. */
  with(gtid: ExecutedGtid): GtidProgress;
  /** Text form of the server: `uuid:1-5:tag:1-2,…` or `0-1-5,1-2-7`. */
  toString(): string;
}

/** A GTID as the event that opens a group gives it. */
export interface ExecutedGtid {
  /** MySQL: `uuid`, or `uuid:tag`; MariaDB: `domain-server`. */
  readonly source: string;
  readonly number: number;
  /** The server's form: `uuid:5`, `uuid:tag:5`, `0-1-5`. */
  readonly text: string;
}
