/** A GTID as the event that opens a group gives it. */
export interface Gtid {
  /** MySQL: `uuid`, or `uuid:tag`; MariaDB: `domain-server`. */
  readonly source: string;
  readonly number: number;
  /** The server's form: `uuid:5`, `uuid:tag:5`, `0-1-5`. */
  readonly text: string;
}
