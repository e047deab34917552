import { areDisjoint, differenceOf, type Intervals, intervalsText, normalized, unionOf } from './intervals.ts';
import { ProtocolError } from './protocol-error.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const TAG = /^[a-z_][a-z0-9_]{0,31}$/;
const INTERVAL = /^(\d+)(?:\s*-\s*(\d+))?$/;
const NO_INTERVALS: Intervals = [];

/**
 * A set of MySQL's GTIDs, immutable. A source is `uuid` or `uuid:tag`, lower case.
 * @see https://dev.mysql.com/doc/refman/9.4/en/replication-gtids-concepts.html
 */
export class GtidSet {
  static readonly empty: GtidSet = new GtidSet(new Map());
  readonly #sources: ReadonlyMap<string, Intervals>;

  /** Takes what it is given: every source has at least one interval. */
  constructor(sources: ReadonlyMap<string, Intervals>) {
    this.#sources = sources;
  }

  /**
   * Reads the text form of the server, white space and capitals included.
   * @throws ProtocolError where it is none, and for numbers beyond 2^53
   */
  static parse(text: string): GtidSet {
    const pairs = new Map<string, number[]>();
    for (const part of text.toLowerCase().split(',')) {
      if (part.trim() === '') continue;
      const [uuid = '', ...items] = part.split(':').map((item) => item.trim());
      if (!UUID.test(uuid) || items.length === 0) throw notASet(text);
      let source = uuid;
      for (const item of items) {
        if (TAG.test(item)) source = `${uuid}:${item}`;
        else addPair(pairs, source, item, text);
      }
    }
    const sources = new Map<string, Intervals>();
    for (const [source, ofSource] of pairs) sources.set(source, normalized(ofSource));
    return new GtidSet(sources);
  }

  get isEmpty(): boolean {
    return this.#sources.size === 0;
  }

  /** `[source, intervals]` sorted by UUID, then by tag, the one without a tag first: the server's order. */
  sources(): [string, Intervals][] {
    // A UUID is a prefix of itself with a tag, and the only characters after it are those of the tag.
    return [...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  has(source: string, number: number): boolean {
    return !areDisjoint(this.#sources.get(source) ?? NO_INTERVALS, [number, number]);
  }

  /** Whether every GTID of `other` is in this set. */
  contains(other: GtidSet): boolean {
    return other.subtract(this).isEmpty;
  }

  intersects(other: GtidSet): boolean {
    for (const [source, intervals] of other.#sources) {
      if (!areDisjoint(this.#sources.get(source) ?? NO_INTERVALS, intervals)) return true;
    }
    return false;
  }

  union(other: GtidSet): GtidSet {
    const sources = new Map(this.#sources);
    for (const [source, intervals] of other.#sources) {
      sources.set(source, unionOf(sources.get(source) ?? NO_INTERVALS, intervals));
    }
    return new GtidSet(sources);
  }

  subtract(other: GtidSet): GtidSet {
    const sources = new Map<string, Intervals>();
    for (const [source, intervals] of this.#sources) {
      const left = differenceOf(intervals, other.#sources.get(source) ?? NO_INTERVALS);
      if (left.length > 0) sources.set(source, left);
    }
    return new GtidSet(sources);
  }

  /** With the numbers `first` to `last` of a source. */
  with(source: string, first: number, last: number): GtidSet {
    return this.union(new GtidSet(new Map([[source, [first, last]]])));
  }

  /** The text form of the server, without its line breaks: `uuid:1-5:7:tag:1-2,uuid:1`. */
  toString(): string {
    let text = '';
    let lastUuid = '';
    for (const [source, intervals] of this.sources()) {
      const uuid = source.slice(0, UUID_CHARACTERS);
      if (uuid !== lastUuid) text += text === '' ? source : `,${source}`;
      else text += source.slice(UUID_CHARACTERS);
      text += `:${intervalsText(intervals)}`;
      lastUuid = uuid;
    }
    return text;
  }
}

export const UUID_CHARACTERS = 36;

function addPair(pairs: Map<string, number[]>, source: string, item: string, text: string): void {
  const match = INTERVAL.exec(item);
  if (match === null) throw notASet(text);
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  if (first < 1 || last > Number.MAX_SAFE_INTEGER || first > Number.MAX_SAFE_INTEGER) throw notASet(text);
  // The server takes an interval that ends before it begins for none.
  if (last < first) return;
  const ofSource = pairs.get(source);
  if (ofSource === undefined) pairs.set(source, [first, last]);
  else ofSource.push(first, last);
}

function notASet(text: string): ProtocolError {
  return new ProtocolError(`not a GTID set: ${text.length > 200 ? `${text.slice(0, 200)}…` : text}`);
}
