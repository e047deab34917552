/** A GTID as the event that opens a group gives it. */
export class Gtid {
  /** MySQL: `uuid`, or `uuid:tag`; MariaDB: `domain-server`. */
  readonly source: string;
  readonly number: number;
  readonly #separator: ':' | '-';

  constructor(source: string, separator: ':' | '-', number: number) {
    this.source = source;
    this.number = number;
    this.#separator = separator;
  }

  /** The server's form: `uuid:5`, `uuid:tag:5`, `0-1-5`. Made when asked for: not every transaction is told of. */
  get text(): string {
    return `${this.source}${this.#separator}${this.number}`;
  }
}
