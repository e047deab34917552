/** What a partition is judged by. */
export interface ReplayedRecord {
  readonly offset: number;
  /** The same for every copy of the record, and for no other record of its partition. */
  readonly identity: string;
  /** Of everything that must be the same in a copy. */
  readonly digest: string;
  readonly schemaIds: string;
  readonly transaction: string;
  /** Something of the source that records of one partition never go back in, but for a replay. */
  readonly lastCommit: bigint;
}

interface Known {
  readonly identity: string;
  readonly digest: string;
  readonly schemaIds: string;
  readonly transaction: string;
}

/**
 * One partition, read in order. What is allowed: every record once, in commit order; and after a crash a replay, which
 * goes back to the first record of some transaction and repeats everything from there on, record for record and byte for
 * byte, before anything new comes.
 */
export class PartitionReplay {
  readonly #name: string;
  readonly #problem: (text: string) => void;
  readonly #known: Known[] = [];
  readonly #places = new Map<string, number>();
  /** Place in `#known` of what comes next; its length where everything is new. */
  #next = 0;
  #lastCommit = -1n;
  replays = 0;
  duplicates = 0;

  constructor(name: string, problem: (text: string) => void) {
    this.#name = name;
    this.#problem = problem;
  }

  /** @returns whether the record is met for the first time. */
  accept(record: ReplayedRecord): boolean {
    const place = this.#places.get(record.identity);
    if (place === undefined) {
      this.#appendNew(record);
      return true;
    }
    if (place !== this.#next) this.#goBack(record, place);
    this.#compare(record, this.#known[place]!);
    this.#next = place + 1;
    this.duplicates += 1;
    return false;
  }

  #appendNew(record: ReplayedRecord): void {
    const missing = this.#known.length - this.#next;
    if (missing > 0) {
      const next = this.#known[this.#next]!;
      this.#report(record, `is new, but a replay has not repeated ${missing} records yet, ${next.identity} being next`);
    }
    if (record.lastCommit < this.#lastCommit) {
      this.#report(record, `comes after a later commit (${record.lastCommit} after ${this.#lastCommit})`);
    }
    this.#lastCommit = record.lastCommit;
    this.#places.set(record.identity, this.#known.length);
    this.#known.push({
      identity: record.identity,
      digest: record.digest,
      schemaIds: record.schemaIds,
      transaction: record.transaction,
    });
    this.#next = this.#known.length;
  }

  #goBack(record: ReplayedRecord, place: number): void {
    this.replays += 1;
    if (place > this.#next) {
      this.#report(record, `skips ${place - this.#next} records of a replay`);
    } else if (place > 0 && this.#known[place - 1]!.transaction === record.transaction) {
      this.#report(record, 'begins a replay in the middle of its transaction');
    }
  }

  #compare(record: ReplayedRecord, first: Known): void {
    if (record.schemaIds !== first.schemaIds) {
      this.#report(record, `is repeated with the schemas ${record.schemaIds}, was ${first.schemaIds}`);
    } else if (record.digest !== first.digest) {
      this.#report(record, 'is repeated with another content');
    }
  }

  #report(record: ReplayedRecord, what: string): void {
    this.#problem(`${this.#name}@${record.offset}: ${record.identity} ${what}`);
  }
}
