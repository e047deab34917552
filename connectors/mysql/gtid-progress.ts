import type { Dialect } from './mysql-type.ts';
import type { Gtid } from './protocol/gtid.ts';
import { GtidSet } from './protocol/gtid-set.ts';
import { MariadbGtidPosition } from './protocol/mariadb-gtid-position.ts';
import { ProtocolError } from './protocol/protocol-error.ts';

/** GTIDs executed, immutable; advancing costs the same however long the history is. */
export interface GtidProgress {
  /** What is executed once this one is too; executing it twice changes nothing. */
  with(gtid: Gtid): GtidProgress;
  /** Text form of the server: `uuid:1-5:tag:1-2,…` or `0-1-5,1-2-7`. */
  toString(): string;
  /** MySQL's set; null of MariaDB, where the last of each domain is all that is known. */
  asSet(): GtidSet | null;
}

/**
 * Reads a GTID set of MySQL or a GTID position of MariaDB; empty text is a history that is empty.
 * @throws ProtocolError where the text is neither
 */
export function parseGtidProgress(dialect: Dialect, text: string): GtidProgress {
  return dialect === 'mysql' ? mysqlProgress(GtidSet.parse(text)) : mariadbProgress(MariadbGtidPosition.parse(text));
}

/**
 * Holes are kept, so a transaction whose fate is open (a prepared XA one) is left out by not adding it.
 * @param set what was executed before
 */
export function mysqlProgress(set: GtidSet): GtidProgress {
  return new MySqlStart(set);
}

export function mariadbProgress(position: MariadbGtidPosition): GtidProgress {
  return new MariadbProgress(position, null);
}

/** Consecutive numbers of one source, not yet in the set. */
interface Run {
  readonly source: string;
  readonly first: number;
  readonly last: number;
}

const NO_RUNS: readonly Run[] = [];
/** Beyond this many runs they are put into the set: sources that take turns, and gaps of parallel appliers, stay cheap. */
const MOST_RUNS = 8;

/** A set that never changes, however long, with a few runs of numbers that came after it: the newest, and older ones. */
class MySqlProgress implements GtidProgress {
  readonly #set: GtidSet;
  readonly #older: readonly Run[];
  readonly #source: string;
  readonly #first: number;
  readonly #last: number;

  constructor(set: GtidSet, older: readonly Run[], source: string, first: number, last: number) {
    this.#set = set;
    this.#older = older;
    this.#source = source;
    this.#first = first;
    this.#last = last;
  }

  with({ source, number }: Gtid): GtidProgress {
    // As nearly always: the next of the same source, which costs one object.
    if (source === this.#source && number === this.#last + 1) {
      return new MySqlProgress(this.#set, this.#older, source, this.#first, number);
    }
    const runs = this.#runs();
    const index = runs.findIndex((run) => run.source === source && number >= run.first && number <= run.last + 1);
    const run = runs[index];
    if (run === undefined) {
      if (runs.length === MOST_RUNS) return new MySqlProgress(this.#whole(), NO_RUNS, source, number, number);
      return new MySqlProgress(this.#set, runs, source, number, number);
    }
    if (number <= run.last) return this;
    return new MySqlProgress(this.#set, runs.toSpliced(index, 1), source, run.first, number);
  }

  toString(): string {
    return this.#whole().toString();
  }

  asSet(): GtidSet {
    return this.#whole();
  }

  #runs(): readonly Run[] {
    return [...this.#older, { source: this.#source, first: this.#first, last: this.#last }];
  }

  #whole(): GtidSet {
    let set = this.#set;
    for (const { source, first, last } of this.#runs()) set = set.with(source, first, last);
    return set;
  }
}

/** A set as it was read. */
class MySqlStart implements GtidProgress {
  readonly #set: GtidSet;

  constructor(set: GtidSet) {
    this.#set = set;
  }

  with({ source, number }: Gtid): GtidProgress {
    return new MySqlProgress(this.#set, NO_RUNS, source, number, number);
  }

  toString(): string {
    return this.#set.toString();
  }

  asSet(): GtidSet {
    return this.#set;
  }
}

/** A position, with the newest GTID of one domain that came after it. */
class MariadbProgress implements GtidProgress {
  readonly #position: MariadbGtidPosition;
  readonly #newest: Gtid | null;

  constructor(position: MariadbGtidPosition, newest: Gtid | null) {
    this.#position = position;
    this.#newest = newest;
  }

  with(gtid: Gtid): GtidProgress {
    // As nearly always: of the same domain and server, which costs one object.
    const position = gtid.source === this.#newest?.source ? this.#position : this.#whole();
    return new MariadbProgress(position, gtid);
  }

  toString(): string {
    return this.#whole().toString();
  }

  #whole(): MariadbGtidPosition {
    if (this.#newest === null) return this.#position;
    const { source, number, text } = this.#newest;
    const [domain, server] = source.split('-').map(Number);
    if (domain === undefined || server === undefined) throw new ProtocolError(`not a GTID of MariaDB: ${text}`);
    return this.#position.with(domain, server, number);
  }

  asSet(): null {
    return null;
  }
}
